# What `make run-s3` serves: a bucket of an S3 server on this machine. Objects
# appear as files below var/s3/demo, which is that server's bucket.

listener "main" {
  address       = "127.0.0.1:2121"
  passive_ports = "20000-20099"
}

backend "s3" "demo" {
  bucket     = "demo"
  prefix     = "ftp/"
  region     = "us-east-1"
  endpoint   = "http://127.0.0.1:7070"
  path_style = true

  # Of the server that `make run-s3` starts, and of no other.
  access_key_id     = "demo"
  secret_access_key = "demo-secret"
}

user "s3" {
  password_hash = "$argon2id$v=19$m=19456,t=2,p=1$CjXNJBlYGy0XxomCUKGLKA$mNNLNrQt0migU3C7xi+YkqIGtBsjL+CiSarkxcUB/y4" # "s3"
  filesystem    = backend.s3.demo
}
