state_dri = "/var/lib/ftpgate"
listener  = ":2121"

listner "main" { address = ":2121" }

listener "main" {
  adress        = ":2121"
  pasive_ports  = "20000-20099"
  default_type  = "asci"
}

limits {
  idle_timout = "10m"
}

backend "locla" "x" { root = "/srv" }

backend "local" "mirror" {
  roots = "/srv/mirror"
}

user "bob" {
  pasword_hash = "$2b$hunter2"
  filesystem   = backend.local.miror
  acces        = "read-only"
}

user "eve" {
  password_hash = "$2b$hunter2"
  filesystem    = backend.locl.mirror
  access        = "readonly"
  on_conflict   = "replace"
  commit        = "lazy"
}

state_dir {}
