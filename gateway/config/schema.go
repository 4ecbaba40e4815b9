package config

import "slices"

// schema is what a block may hold.
type schema struct {
	labels     []string // what its labels stand for
	attributes []string
	inner      []string // blocks in it, at most one of each
	later      []string // blocks of the design that this version does not have
}

// topLevel is what stands outside of any block.
var topLevel = schema{
	attributes: []string{"state_dir"},
}

// blocks are the blocks of the top level.
var blocks = map[string]schema{
	"listener": {
		labels: []string{"name"},
		attributes: []string{"address", "passive_ports", "public_host", "public_hosts", "default_type", "banner", "active_mode", "active_source_port",
			"allow_from", "deny_from", "proxy_protocol", "data_peers"},
		inner: []string{"tls"},
	},
	"limits": {
		attributes: []string{"max_connections", "max_connections_per_ip", "login_attempts", "command_line",
			"login_timeout", "idle_timeout", "data_timeout", "stall_timeout", "shutdown_timeout", "connect_rate", "command_rate",
			"download_rate", "upload_rate", "session_download_rate", "session_upload_rate", "transfer_memory"},
	},
	"throttle":  {attributes: []string{"failures", "window", "ban", "max_delay", "allow"}},
	"admin":     {attributes: []string{"address"}},
	"log":       {attributes: []string{"level", "format"}},
	"backend":   {labels: []string{"kind", "name"}}, // the rest depends on the kind
	"anonymous": {attributes: []string{"filesystem", "names"}},
	"user": {
		labels: []string{"name"},
		attributes: []string{"password_hash", "filesystem", "access", "on_conflict", "commit", "resume_window",
			"allow_from", "require_tls", "client_name", "deny_names", "max_upload", "max_sessions",
			"download_rate", "upload_rate", "session_download_rate", "session_upload_rate"},
		later: []string{"mount"},
	},
}

// tlsSchema is the tls block of a listener.
var tlsSchema = schema{
	attributes: []string{"mode", "require", "cert_file", "key_file", "min_version", "cipher_suites", "session_reuse",
		"allow_truncation", "client_ca", "client_cert"},
}

// backends are the backend blocks by kind.
var backends = map[string]schema{
	"local":  {attributes: []string{"root", "create", "file_mode", "dir_mode", "sync"}},
	"memory": {attributes: []string{"max_size"}},
	"ftp": {attributes: []string{"address", "user", "password", "passthrough", "tls", "tls_verify", "tls_name", "ca_file", "active", "root",
		"max_connections", "encoding", "time_zone", "local_times", "temporary_prefix", "connect_timeout", "timeout", "stall_timeout"}},
	"s3": {
		attributes: []string{"bucket", "prefix", "region", "endpoint", "path_style",
			"access_key_id", "secret_access_key", "session_token",
			"storage_class", "server_side_encryption", "kms_key_id", "customer_key", "acl", "content_types", "checksum", "sign_payload",
			"tags", "metadata", "requester_pays", "part_size", "concurrency", "multipart_uniform", "read_ahead",
			"list_page_size", "metadata_cache", "modtime", "copy_part_size", "rename_limit",
			"http_proxy", "ca_file", "connect_timeout", "timeout", "max_retries"},
		inner: []string{"assume_role"},
	},
}

// assumeRoleSchema is the assume_role block of an S3 backend.
var assumeRoleSchema = schema{attributes: []string{"role_arn", "external_id", "session_name"}}

// laterBackends are the kinds of backend that this version does not have.
var laterBackends []string

// hashAttribute is a user's password.
const hashAttribute = "password_hash"

// secretAttributes are the known attributes whose values are never shown.
var secretAttributes = []string{hashAttribute, "secret_access_key", "session_token", "customer_key", "http_proxy", "external_id", "password"}

// harmless reports whether the value of an attribute of this name may be shown.
// Unknown names may not: a misspelt password_hash is one.
func harmless(attribute string) bool {
	if slices.Contains(secretAttributes, attribute) {
		return false
	}
	if slices.Contains(topLevel.attributes, attribute) {
		return true
	}
	if slices.Contains(tlsSchema.attributes, attribute) || slices.Contains(assumeRoleSchema.attributes, attribute) {
		return true
	}
	for _, group := range []map[string]schema{blocks, backends} {
		for _, s := range group {
			if slices.Contains(s.attributes, attribute) {
				return true
			}
		}
	}
	return false
}
