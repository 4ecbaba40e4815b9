# Everything that this version knows, once.
state_dir = "/var/lib/ftpgate"

listener "main" {
  address       = ":2121"
  passive_ports = "20000-20099"
  public_host   = "203.0.113.7"
  default_type  = "ascii"

  active_source_port = 20
  banner        = <<-EOT
    Welcome to the archive.
    Be kind = be quick.
  EOT
}

listener "inner" {
  address       = "127.0.0.1:0"
  passive_ports = "21000-21099"
  public_host   = "ftp.example.org"
  public_hosts  = {
    "10.0.0.0/8"     = "local"
    "0.0.0.0/0"      = "203.0.113.8"
    "10.1.2.3"       = "inside.example.org."
    (env("NET2"))    = env("HOST")
    "192.168.0.0/16" = "192.168.1.5"
  }
  allow_from    = ["10.0.0.0/8", "::1"]
  deny_from     = ["10.0.0.13"]
  active_mode   = false

  proxy_protocol = ["10.0.0.0/8", "fd00::1"]
  data_peers     = ["203.0.113.0/24", env("HOST")]

  tls {
    mode             = "implicit"
    require          = "data"
    cert_file        = "/etc/ftpgate/cert.pem"
    key_file         = "keys/key.pem"
    min_version      = "1.3"
    cipher_suites    = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
    session_reuse    = "require"
    allow_truncation = true
    client_ca        = "/etc/ftpgate/clients.pem"
    client_cert      = "required"
  }
}

throttle {
  failures  = 7
  window    = "1m"
  ban       = "24h"
  max_delay = "0s"
  allow     = [env("NET")]
}

admin { address = "[::1]:8021" }

limits {
  max_connections        = 50
  max_connections_per_ip = env("NUMBER")
  login_attempts         = 2
  command_line           = 4096
  login_timeout          = "30s"
  idle_timeout           = "1h30m"
  data_timeout           = "10s"
  stall_timeout          = "2m"
  shutdown_timeout       = "0s"
  download_rate          = "1GiB"
  upload_rate            = "1GB"
  session_download_rate  = "1MiB"
  session_upload_rate    = 1024
  connect_rate           = 300
  command_rate           = 100
}

log {
  level  = "debug"
  format = "json"
}

backend "local" "mirror" { root = "/srv/mirror" }

backend "local" "dropbox" {
  root      = "/srv/dropbox/${user.name}"
  create    = env("YES")
  file_mode = "0660"
  dir_mode  = "2770" == "" ? "0" : "0770"
  sync      = true
}

backend "memory" "my scratch" { max_size = env("SIZE") }

anonymous {
  filesystem = backend.local.mirror
  names      = ["anonymous", "ftp", "guest"]
}

user "scanner" {
  password_hash = "$2b$hunter2"
  filesystem    = backend.local.dropbox
  access        = "drop-box"
  on_conflict   = "rename"
  commit        = "lenient"
  resume_window = "24h"
  allow_from    = ["192.168.0.0/16", "2001:db8::1", env("NET")]
  deny_names    = ["*.php", ".*"]
  max_upload    = "1GiB"
  max_sessions  = 3
  download_rate = "2MiB"
  upload_rate   = "3MiB"

  session_upload_rate = "4KiB"
}

user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.memory["my scratch"]
  require_tls   = "data"
}

user "device" {
  client_name = "device-7.example.org"
  filesystem  = backend.local.dropbox
  access      = "drop-box"
}

user "$${user.name}%" {
  password_hash = file("hash.txt")
  filesystem    = backend.local.dropbox
  access        = "read-only"
}
