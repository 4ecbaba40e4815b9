user "alice" {
  password_hash =
    "hunter2"
}
user "bob" {
  password_hash = <<EOT
hunter2
EOT
  $2b$12$hunter2
  password "hunter2"
}
user "carol" { password_hash = "hunter2" filesystem = 1 }
