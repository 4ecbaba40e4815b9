state_dir = "/var"

listener "main" { address = ":2121" }

backend "memory" "m" {}

user "word" {
  password_hash = hunter2
  filesystem    = backend.memory.m
}

user "call" {
  password_hash = hunter2("x")
  filesystem    = backend.memory.m
}

user "template" {
  password_hash = "${hunter2}"
  filesystem    = backend.memory.m
}

user "list" {
  password_hash = [hunter2]
  filesystem    = backend.memory.m
}

user "attribute" {
  password_hash = user.hunter2
  filesystem    = backend.memory.m
}

user "root" {
  password_hash = hunter2.name
  filesystem    = backend.memory.m
}

user "lines" {
  password_hash = {
    root = hunter2
  }
  filesystem = backend.memory.m
}

user "heredoc" {
  password_hash = <<-EOT
    root = ${hunter2}
  EOT
  filesystem = backend.memory.m
}

user "oneline" { password_hash = hunter2 }

user "misspelt" {
  pasword_hash = hunter2("x")
  filesystem   = backend.memory.m
}

user "variable" {
  password_hash = env("hunter2")
  filesystem    = backend.memory.m
}

user "path" {
  password_hash = file("hunter2")
  filesystem    = backend.memory.m
}
