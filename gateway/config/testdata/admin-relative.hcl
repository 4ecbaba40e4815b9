state_dir = "/var"

listener "main" { address = ":2121" }

admin { address = "unix:admin.sock" }

backend "memory" "m" {}

anonymous { filesystem = backend.memory.m }
