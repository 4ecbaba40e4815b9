user "directive" {
  password_hash = "%{hunter2}"
}

user "misspelt" {
  pasword = "%{hunter2}"
}
