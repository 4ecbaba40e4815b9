state_dir = "/b"
listener "main" { address = ":2122" }
