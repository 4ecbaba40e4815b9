# What can be wrong with an upstream FTP server.
state_dir = "/var/lib/ftpgate"

listener "main" { address = "127.0.0.1:2121" }

backend "ftp" "empty" {}

backend "ftp" "url" {
  address  = "ftp://device.example.org/"
  user     = ""
  password = "hunter2\n"
  root     = "scans"
}

backend "ftp" "both" {
  address     = "10.0.0.7:0"
  user        = "scanner"
  password    = "hunter2"
  pasword     = "hunter2"
  passthrough = true
  root        = "/scans/../etc"
}

backend "ftp" "plain" {
  address    = "ftp.example.org"
  user       = "scanner"
  password   = env("SECRET")
  tls        = "none"
  tls_verify = false
  ca_file    = "missing.pem"
}

backend "ftp" "values" {
  address         = "10.0.0.7"
  user            = "scanner"
  password        = ["hunter2"]
  tls             = "starttls"
  tls_verify      = "no"
  max_connections = 1
  encoding        = "klingon"
  time_zone       = "Mars/Olympus"
  temporary_prefix = "tmp/"
  timeout         = "1ms"
}

backend "ftp" "unverified" {
  address    = "10.0.0.7"
  user       = "scanner"
  password   = ""
  tls_verify = false
  local_times = true
}

backend "ftp" "own" {
  address     = "10.0.0.7"
  passthrough = true
}

anonymous { filesystem = backend.ftp.own }

user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.ftp.own
  resume_window = "10m"
}

user "device" {
  client_name = "device.example.org"
  filesystem  = backend.ftp.own
}
