state_dir = "/var"

listener "a" {
  address       = "192.0.2.1:2121"
  passive_ports = "20000-20099"
}

listener "b" {
  address       = "192.0.2.1:2121"
  passive_ports = "20099-20199"
}

listener "all" {
  address       = ":2121"
  passive_ports = "2100-2200"
}

listener "late" {
  address       = "192.0.2.9:2121"
  passive_ports = "2150-2160"
}

listener "six" {
  address       = "[2001:db8::1]:2122"
  passive_ports = "20000-20099"
}

listener "a" { address = ":1" }

limits {}
limits {}
log {}
log {}
anonymous { filesystem = backend.memory.m }
anonymous { filesystem = backend.memory.m }
backend "memory" "m" {}
backend "memory" "m" {}
backend "local" {}
log "x" {}
