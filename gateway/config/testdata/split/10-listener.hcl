listener "main" { address = ":2121" }
