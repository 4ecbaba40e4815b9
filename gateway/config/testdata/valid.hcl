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
  transfer_memory        = "32MiB"
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

backend "s3" "archive" {
  bucket     = "acme-archive"
  prefix     = "ftp/${user.name}/"
  region     = "eu-west-1"
  endpoint   = "https://s3.example.org"
  path_style = true

  access_key_id     = "AKIA"
  secret_access_key = env("SECRET")
  session_token     = env("SECRET")
  assume_role {
    role_arn     = "arn:aws:iam::123456789012:role/ftp"
    external_id  = env("SECRET")
    session_name = "ftp-${user.name}"
  }

  storage_class          = "STANDARD_IA"
  server_side_encryption = "aws:kms"
  kms_key_id             = "alias/ftp"
  acl                    = "private"
  content_types          = false
  checksum               = "CRC32C"
  sign_payload           = "never"
  tags                   = { source = "ftp" }
  metadata               = { uploaded-by = user.name }
  requester_pays         = true

  part_size         = "16MiB"
  concurrency       = 8
  multipart_uniform = true
  read_ahead        = "32MiB"
  list_page_size    = 500
  metadata_cache    = "0s"
  modtime           = "metadata"
  copy_part_size    = "512MiB"
  rename_limit      = 1000

  http_proxy      = "http://u:${env("SECRET")}@proxy:3128"
  ca_file         = "/etc/ftpgate/s3-ca.pem"
  connect_timeout = "5s"
  timeout         = "2m"
  max_retries     = 0
}

user "archivist" {
  password_hash = env("HASH")
  filesystem    = backend.s3.archive
}

backend "ftp" "press" {
  address         = "10.0.0.7:2121"
  user            = "scanner"
  password        = env("SECRET")
  tls             = "implicit"
  tls_name        = "press.example.org"
  ca_file         = "/etc/ftpgate/press-ca.pem"
  active          = true
  root            = "/out/${user.name}"
  max_connections = 3
  encoding        = "windows-1252"
  time_zone       = "UTC"
  local_times     = true
  temporary_prefix = ".gateway-"
  connect_timeout = "5s"
  timeout         = "2m"
  stall_timeout   = "30s"
}

user "press" {
  password_hash = env("HASH")
  filesystem    = backend.ftp.press
}

backend "ftp" "own" {
  address     = "device"
  passthrough = true
  encoding    = "UTF-8"
}

user "own" {
  password_hash = env("HASH")
  filesystem    = backend.ftp.own
}
