state_dir = "/var"

listener "main" { address = ":2121" }

admin { address = ":8021" }

backend "memory" "m" {}

anonymous { filesystem = backend.memory.m }
