# A key in a file that everyone can read.
state_dir = "/var/lib/ftpgate"

listener "main" { address = "127.0.0.1:2121" }

backend "s3" "archive" {
  bucket            = "acme-archive"
  access_key_id     = "AKIA"
  secret_access_key = "hunter2"
}

user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.s3.archive
}
