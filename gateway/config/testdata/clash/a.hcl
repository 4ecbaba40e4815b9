state_dir = "/a"
listener "main" { address = ":2121" }
