state_dir = "/var"

listener "one" {
  address = ":2121"
  tls {
    cert_file = "/etc/ftpgate/cert.pem"
    key_file  = "/etc/ftpgate/key.pem"
    client_ca = "/etc/ftpgate/one.pem"
  }
}

listener "two" {
  address = ":2122"
  tls {
    cert_file = "/etc/ftpgate/cert.pem"
    key_file  = "/etc/ftpgate/key.pem"
    client_ca = "/etc/ftpgate/two.pem"
  }
}

backend "memory" "m" {}

user "device" {
  client_name = "device-7.example.org"
  filesystem  = backend.memory.m
}
