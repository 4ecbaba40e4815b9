listener "main" { address = ":2121" }

user "alice" {
  password_hash: "hunter2"
}
