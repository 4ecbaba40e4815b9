state_dir = "/var"

listener "main" { address = ":2121" }

admin { address = "127.0.0.1:0" }

backend "memory" "m" {}

anonymous { filesystem = backend.memory.m }
