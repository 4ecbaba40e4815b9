state_dir = "/var"

listener "a" {
  address            = ":2121"
  passive_ports      = "20000-20099"
  active_source_port = 20050
}
listener "b" {
  address            = "192.0.2.1:2122"
  active_source_port = 2121
}
listener "c" {
  address            = "192.0.2.1:2123"
  active_source_port = 0
}
listener "d" {
  address            = "192.0.2.1:2124"
  active_source_port = "ftp-data"
}
listener "e" {
  address            = "192.0.2.1:2125"
  active_source_port = 20
  active_mode        = false
}
listener "f" {
  address            = "192.0.2.1:2126"
  active_source_port = 20
}
# Ports of other addresses are other ports.
listener "g" {
  address            = "127.0.0.1:2127"
  active_source_port = 2122
}

backend "memory" "m" {}
anonymous { filesystem = backend.memory.m }
