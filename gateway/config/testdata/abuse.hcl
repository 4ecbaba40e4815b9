state_dir = "/var"

listener "main" {
  address    = ":2121"
  allow_from = []
  deny_from  = ["10.0.0.1/8", "nobody"]
}

listener "other" {
  address   = "127.0.0.1:2122"
  deny_from = []
}

throttle {
  failures  = 101
  window    = "0s"
  ban       = "forever"
  max_delay = "2m"
  allow     = "10.0.0.0/8"
  allowed   = []
}

throttle {}

admin { address = "127.0.0.1:2122" }

anonymous { filesystem = backend.memory.m }

backend "memory" "m" {}

limits {
  command_rate        = 5
  download_rate       = "0"
  session_upload_rate = "fast"
}

user "alice" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
  deny_names    = ["*.php", "", "a/b", "*****************"]
  max_upload    = "none"
  max_sessions  = 0
  upload_rate   = "100"
}
