state_dir = "/var"

listener "main" { address = ":2121" }

backend "memory" "m" {}

user "two" {
  password_hash = hunter2 hunter3
  filesystem    = backend.memory.m
}
