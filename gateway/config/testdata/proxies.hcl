state_dir = "/var"

listener "main" {
  address        = ":2121"
  proxy_protocol = ["0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "2000::/3", "fd00::/16"]
}

backend "memory" "m" {}

anonymous {
  filesystem = backend.memory.m
}
