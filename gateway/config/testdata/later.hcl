listener "main" {
  address        = ":2121"
  tls {
    cert_file = "/etc/ftpgate/cert.pem"
  }
}

backend "ftp" "upstream" {
  address    = "ftp.example.org"
  secret_key = "hunter2"
}

user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.ftp.upstream
  mount "/scratch" { filesystem = backend.memory.scratch }
}
