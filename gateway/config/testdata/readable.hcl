state_dir = "/var/lib/ftpgate"
listener "main" { address = ":2121" }
backend "memory" "m" {}
user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
}
user "bob" {
  password_hash = "$2b$hunter2"
  filesystem    = backend.memory.m
}
