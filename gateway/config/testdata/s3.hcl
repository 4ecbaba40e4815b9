# What can be wrong with an S3 backend.
state_dir = "/var/lib/ftpgate"

listener "main" { address = "127.0.0.1:2121" }

limits { transfer_memory = "100KiB" }

backend "s3" "empty" {}

backend "s3" "names" {
  bucket   = "s3://acme/archive"
  prefix   = "/ftp"
  region   = "eu west"
  endpoint = "s3.example.org"
}

backend "s3" "prefixes" {
  bucket   = "b"
  prefix   = "ftp"
  endpoint = "https://key:hunter2@s3.example.org"
}

backend "s3" "dots" {
  bucket = "acme-archive"
  prefix = "ftp/../"
}

backend "s3" "keys" {
  bucket        = "acme-archive"
  access_key_id = "AKIA"
  session_token = ""
  assume_role {
    external_id = "hunter2\n"
  }
}

backend "s3" "secret" {
  bucket            = "acme-archive"
  secret_access_key = ["hunter2"]
  secret_acces_key  = "hunter2"
  http_proxy        = "proxy:hunter2@example.org"
  customer_key      = "hunter2"
  kms_key_id        = "alias/ftp"
}

backend "s3" "choices" {
  bucket                 = "acme-archive"
  server_side_encryption = "AES-256"
  acl                    = "public"
  checksum               = "MD5"
  sign_payload           = true
  modtime                = "mtime"
  storage_class          = "standard ia"
}

backend "s3" "numbers" {
  bucket         = "acme-archive"
  part_size      = "1MiB"
  concurrency    = 0
  read_ahead     = "2GiB"
  list_page_size = 1001
  metadata_cache = "2h"
  copy_part_size = "6GiB"
  rename_limit   = 0
  timeout        = "1ms"
  max_retries    = -1
}

backend "s3" "maps" {
  bucket   = "acme-archive"
  tags     = { "aws:x" = "y", "" = "z" }
  metadata = { Color = "red", mtime = "1", name = "Jörg" }
}

backend "s3" "together" {
  bucket                 = "acme-archive"
  endpoint               = "http://s3.example.org"
  server_side_encryption = "AES256"
  customer_key           = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
  storage_class          = "GLACIER"
  acl                    = "public-read"
  ca_file                = "missing.pem"
}

backend "s3" "role" {
  bucket   = "acme-archive"
  endpoint = "https://s3.example.org:99999"
  assume_role {
    role_arn     = "ftp"
    session_name = "ftp gate"
  }
}

user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.s3.names
}
