state_dir = "/a"
backend "memory" "m" {}
