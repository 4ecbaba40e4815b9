listener "main" {
  address       = ":2121"
  passive_ports = "40000-40099"
}
