listener "main" {
  address        = ":2121"
  tls {
    cert_file = "/etc/ftpgate/cert.pem"
  }
}

backend "s3" "archive" {
  bucket     = "acme-archive"
  secret_key = "hunter2"
}

backend "ftp" "upstream" {}

user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.s3.archive
  mount "/scratch" { filesystem = backend.memory.scratch }
}
