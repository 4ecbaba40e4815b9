state_dir = "/var/lib/ftpgate"

listener "main" { address = ":2121" }

backend "memory" "m" {}

user "device" {
  client_name = "device-7.example.org"
  filesystem  = backend.memory.m
}

user "alice" {
  password_hash = "$2b$hunter2"
  require_tls   = "data"
  filesystem    = backend.memory.m
}

user "bob" {
  password_hash = "$2b$hunter2"
  require_tls   = "none"
  filesystem    = backend.memory.m
}
