listener "main" { address = ":2121" }

backend "memory" "m" {}

anonymous {
  filesystem = backend.memory.m
  names      = ["guest", "a/b", env("SECRET")]
}

user "nohash" {
  filesystem = backend.memory.m
}

user "empty" {
  password_hash = ""
  filesystem    = backend.memory.m
}

user "plain" {
  password_hash = "hunter2"
  filesystem    = backend.memory.m
}

user "number" {
  password_hash = 42
  filesystem    = backend.memory.m
}

user "../etc" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
}

user "Guest" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
}

user "box" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
  access        = "drop-box"
  on_conflict   = "overwrite"
}

user "nets" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
  allow_from = [
    "10.0.0.0/8",
    "10.0.0.1/8",
    "10.0.0.0/33",
    "example.org",
    "::ffff:10.0.0.0/104",
    env("SECRET"),
    "fe80::1%eth0",
  ]
}

user "nobody" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
  allow_from    = []
}

user "onenet" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
  allow_from    = "10.0.0.0/8"
}

user "nofs" {
  password_hash = env("HASH")
}

user "quoted" {
  password_hash = env("HASH")
  filesystem    = "backend.memory.m"
}

user "short" {
  password_hash = env("HASH")
  filesystem    = memory.m
}

user "long" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m.x
}

user "call" {
  password_hash = env("HASH")
  filesystem    = env("DIR")
}

user "twice" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
}

user "twice" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
}

user {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
}

user "" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
}

user "two" "labels" {
  password_hash = env("HASH")
  filesystem    = backend.memory.m
}
