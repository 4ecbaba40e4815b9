state_dir = "/var"

# Those that may be announced to clients who cannot reach them: a, b, c and i.
listener "a" {
  address     = ":2121"
  public_host = "192.168.1.5"
}
listener "b" {
  address     = "192.0.2.1:2122"
  public_host = env("PRIVATE")
  allow_from  = ["192.168.0.0/16", "198.51.100.0/24"]
}
listener "c" {
  address      = ":2123"
  public_host  = "203.0.113.7"
  public_hosts = { "10.0.0.0/8" = "10.0.0.1", "11.0.0.0/8" = "100.64.0.1", "0.0.0.0/0" = "local" }
}
# Not so: nobody from outside, or another address for all of them.
listener "d" {
  address     = "127.0.0.1:2124"
  public_host = "192.168.1.5"
}
listener "e" {
  address     = ":2125"
  public_host = "192.168.1.5"
  allow_from  = ["192.168.0.0/16", "100.64.1.0/24", "fd00::/8"]
}
listener "f" {
  address      = ":2126"
  public_host  = "192.168.1.5"
  public_hosts = { "0.0.0.0/0" = "203.0.113.7" }
}
listener "g" {
  address     = ":2127"
  public_host = "ftp.example.org"
}
listener "h" { address = ":2128" }
listener "i" {
  address      = ":2129"
  public_hosts = { "0.0.0.0/0" = "169.254.1.1" }
}

backend "memory" "m" {}
anonymous { filesystem = backend.memory.m }
