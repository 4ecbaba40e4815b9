listener "request" {
  address = ":2121"
  tls {
    cert_file = "/etc/ftpgate/request.pem"
    key_file  = "/etc/ftpgate/key.pem"
    client_ca = "/etc/ftpgate/request.pem"
  }
}

listener "expired" {
  address = ":2122"
  tls {
    cert_file = "/etc/ftpgate/expired.pem"
    key_file  = "/etc/ftpgate/key.pem"
    client_ca = "/etc/ftpgate/expired.pem"
  }
}

listener "mismatch" {
  address = ":2123"
  tls {
    cert_file = "/etc/ftpgate/cert.pem"
    key_file  = "/etc/ftpgate/other.pem"
  }
}

listener "unreadable" {
  address = ":2124"
  tls {
    cert_file = "/etc/ftpgate/expired.pem"
    key_file  = "/etc/ftpgate/root-only.pem"
    client_ca = "/etc/ftpgate/directory"
  }
}

listener "missing" {
  address = ":2125"
  tls {
    cert_file = "/etc/ftpgate/cert.pem"
    key_file  = "/etc/ftpgate/missing.pem"
  }
}

backend "memory" "m" {}

anonymous {
  filesystem = backend.memory.m
}
