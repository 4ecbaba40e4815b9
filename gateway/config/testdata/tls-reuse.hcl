state_dir = "/var/lib/ftpgate"

listener "clear" {
  address = ":2121"
  tls {
    require       = "none"
    cert_file     = "/etc/ftpgate/cert.pem"
    key_file      = "/etc/ftpgate/key.pem"
    session_reuse = "require"
  }
}

listener "login" {
  address = ":2122"
  tls {
    require       = "login"
    cert_file     = "/etc/ftpgate/cert.pem"
    key_file      = "/etc/ftpgate/key.pem"
    session_reuse = "require"
  }
}

listener "data" {
  address = ":2123"
  tls {
    require       = "data"
    cert_file     = "/etc/ftpgate/cert.pem"
    key_file      = "/etc/ftpgate/key.pem"
    session_reuse = "require"
  }
}

listener "unsaid" {
  address = ":2124"
  tls {
    cert_file     = "/etc/ftpgate/cert.pem"
    key_file      = "/etc/ftpgate/key.pem"
    session_reuse = "require"
  }
}

backend "memory" "m" {}

anonymous { filesystem = backend.memory.m }
