user "bob" {
  password_hash = env("HASH")
  filesystem = backend.memory.m
}
