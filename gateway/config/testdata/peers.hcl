state_dir = "/var"

listener "empty" {
  address        = ":2121"
  proxy_protocol = []
  data_peers     = []
}

listener "wrong" {
  address        = ":2122"
  proxy_protocol = ["10.0.0.1", "balancer", "0.0.0.0/0"]
  data_peers     = ["203.0.113.0/24", "203.0.113.128/25"]
}

listener "text" {
  address        = ":2123"
  proxy_protocol = "10.0.0.1"
  data_peer      = ["203.0.113.0/24"]
}

listener "secret" {
  address    = ":2124"
  data_peers = [env("NET"), "10.1.0.0/16"]
}

listener "wide" {
  address    = ":2125"
  data_peers = ["100.64.0.0/10", "2001:db8::/32", "2001:db9:0::/48", "192.0.0.0/16"]
}

anonymous { filesystem = backend.memory.m }

backend "memory" "m" {}
