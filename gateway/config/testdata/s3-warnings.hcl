# An S3 backend that works and is probably not what was meant.
state_dir = "/var/lib/ftpgate"

listener "main" { address = "127.0.0.1:2121" }

limits { transfer_memory = "16MiB" }

backend "s3" "archive" {
  bucket        = "acme-archive"
  endpoint      = "http://s3.example.org"
  storage_class = "DEEP_ARCHIVE"
  acl           = "public-read"
  part_size     = "32MiB"
  ca_file       = "missing.pem"
}

user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.s3.archive
}
