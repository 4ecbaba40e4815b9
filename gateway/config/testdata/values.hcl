state_dir = 7

listener "a" {
  address       = "ftp.example.org:21"
  passive_ports = 20000-20099
  public_host   = "2001:db8::1"
  banner        = ["a"]
}
listener "b" {
  address       = ":ftp"
  passive_ports = "20099-20000"
  public_host   = "1.2.3"
}
listener "c" {
  address       = "2121"
  passive_ports = "900-2000"
  public_host   = "0.0.0.0"
}
listener "d" {
  address       = ":99999"
  passive_ports = "20000"
}
listener "e" {
  passive_ports = "1-70000"
}
listener "f" {
  address       = null
  passive_ports = env("SECRET")
}

limits {
  max_connections        = 0
  max_connections_per_ip = -1
  login_attempts         = 1.5
  command_line           = "1"
  login_timeout          = 60
  idle_timeout           = "600"
  data_timeout           = "-5s"
  stall_timeout          = "0s"
  shutdown_timeout       = "99999999999h"
}

log {
  level  = "verbose"
  format = env("SECRET")
}

backend "local" "a" {
  root      = ""
  create    = "yes"
  file_mode = 0640
  dir_mode  = "0999"
  sync      = 1
}
backend "local" "b" {
  file_mode = "0444"
  dir_mode  = "0600"
}
backend "memory" "a" { max_size = "0" }
backend "memory" "b" { max_size = "-1MiB" }
backend "memory" "c" { max_size = "10 parsecs" }
backend "memory" "d" { max_size = "99999999999TiB" }
backend "memory" "e" { max_size = 1.5 }
backend "memory" "f" { max_size = env("SECRET") }
backend "memory" "g" { max_size = "99999999999999999999" }
