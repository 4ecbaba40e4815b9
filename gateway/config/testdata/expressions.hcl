listener "main" {
  address = env("NO_SUCH_ADDRESS")
  banner  = "Hello ${user.name}"
}

backend "local" "a" { root = file("no-such-file") }
backend "local" "b" { root = file(env("SECRET")) }
backend "local" "c" { root = env(env("SECRET")) }
backend "local" "d" { root = file("/dev/zero") }
backend "local" "e" { root = file(".") }
backend "local" "f" { root = enb("DIR") }
backend "local" "g" { root = env("DIR", "a", "b") }
backend "local" "h" { root = env() }
backend "local" "i" { root = "/srv/${usr.name}" }
backend "local" "j" { root = "/srv/${user.nmae}" }
backend "local" "k" { root = backend.local.a }
backend "local" "l" { root = "x" + env("SECRET") }
backend "local" "m" { root = env("SECRET")["a"] }
backend "local" "n" { root = { a = "b" }[env("SECRET")] }
backend "local" "o" { root = env("EMPTY") }
backend "local" "p" { root = [for x in [env("SECRET"), env("SECRET")] : x] }
backend "local" "q" { root = env("DIR", null) }
backend "local" "r" { root = env("NOT_SET", null) }
backend "local" "s" { root = "a\u0000b" }

user "alice" {
  password_hash = env("NO_SUCH_HASH")
  filesystem    = backend.local.a
}

user "bob" {
  password_hash = file("${user.name}.hash")
  filesystem    = backend.local.a
}
