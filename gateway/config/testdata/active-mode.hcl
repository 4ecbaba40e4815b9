state_dir = "/var/lib/ftpgate"

listener "main" {
  address            = ":2121"
  active_mode        = "no"
  active_source_port = 20
}

backend "memory" "m" {}

anonymous { filesystem = backend.memory.m }
