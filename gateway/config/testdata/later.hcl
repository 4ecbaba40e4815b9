listener "main" {
  address        = ":2121"
  tls {
    cert_file = "/etc/ftpgate/cert.pem"
  }
}

backend "memory" "upstream" {}

user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.memory.upstream
  mount "/scratch" { filesystem = backend.memory.scratch }
}
