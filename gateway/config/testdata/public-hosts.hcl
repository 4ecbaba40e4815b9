state_dir = "/var"

listener "a" {
  address      = ":2121"
  public_host  = "ftp.example.org:21"
  public_hosts = {
    "10.0.0.0/33"    = "local"
    "10.0.0.1/8"     = "local"
    "lan"            = "local"
    "2001:db8::/32"  = "local"
    "10.1.0.0/16"    = "2001:db8::1"
    "10.2.0.0/16"    = "not a name"
    "10.3.0.0/16"    = ""
    "10.4.0.0/16"    = "0.0.0.0"
    "10.5.0.0/16"    = env("SECRET", "x")
    "10.6.0.1"       = "local"
    "10.6.0.1/32"    = "local"
  }
}
listener "b" {
  address      = ":2122"
  public_hosts = ["10.0.0.0/8"]
}
listener "c" {
  address      = ":2123"
  public_host  = "-ftp.example.org"
  public_hosts = { "10.0.0.0/8" = ["local"] }
}
listener "d" {
  address      = ":2124"
  public_host  = "ftp..example.org"
  public_hosts = { for n in ["10.0.0.0/8", "x"] : n => "local" }
}
listener "e" {
  address      = ":2125"
  public_host  = "http://ftp.example.org"
  public_hosts = { "10.0.0.0/8" = null }
}
listener "h" {
  address      = ":2128"
  public_hosts = { (env("SECRET")) = "local", (env("NET")) = "x y" }
}
listener "i" {
  address      = ":2129"
  public_hosts = {
    10           = "local"
    "10.0.0.0/8" = 7
  }
}
listener "f" {
  address      = ":2126"
  public_hosts = { "10.0.0.0/8" = user.name }
}
listener "g" {
  address = ":2127"
  public_hosts "10.0.0.0/8" { host = "local" }
}

backend "memory" "m" {}
anonymous { filesystem = backend.memory.m }
