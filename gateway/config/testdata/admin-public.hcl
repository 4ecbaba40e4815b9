state_dir = "/var"

listener "main" { address = ":2121" }

admin { address = "192.0.2.1:8021" }

backend "memory" "m" {}

anonymous { filesystem = backend.memory.m }
