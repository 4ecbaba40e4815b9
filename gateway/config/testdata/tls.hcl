listener "main" {
  address = ":2121"
  tls {
    mode             = "explicite"
    require          = "everything"
    cert_file        = "/etc/ftpgate/missing.pem"
    min_version      = "1.0"
    cipher_suites    = ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA1", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", env("SECRET")]
    session_reuse    = "always"
    client_cert      = "required"
    allow_truncation = "perhaps"
    key              = "x"
    certificate {}
  }
  tls {}
}

listener "old" {
  address     = ":2122"
  active_mode = "sometimes"
  tls "label" {}
}

listener "more" {
  address = ":2123"
  tls {
    cert_file   = ""
    key_file    = "key.pem"
    min_version = "1.4"
    client_ca   = 7
    client_cert = "always"
  }
}

listener "equals" {
  address = ":2124"
  tls     = true
}

backend "memory" "m" {}

user "a" {
  client_name = "x"
  require_tls = "login"
  filesystem  = backend.memory.m
}

user "b" {
  client_name = ""
  filesystem  = backend.memory.m
  require_tls = "date"
}
