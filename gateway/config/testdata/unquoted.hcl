user "alice" {
  password_hash = $2b$12$hunter2
  filesystem    = backend.memory.m
}
