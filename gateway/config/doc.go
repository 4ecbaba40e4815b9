// Package config reads the configuration. It is the only package that knows HCL:
// what comes out are plain structs in which every default is filled in, every
// reference is resolved and every per-user value is evaluated.
//
// [Load] works in two phases. The first parses all files and finds the blocks by
// their labels, so that order and file boundaries do not matter. The second
// evaluates: env(), file(), user.name, and references such as
// backend.local.mirror, which are looked up and not evaluated, so that a wrong
// one can name the nearest right one.
//
// Every mistake becomes a [Diagnostic]; none ends the work, and a configuration
// with an error yields none at all. Names that the design has but this version
// has not are errors too: a setting that is silently ignored looks done.
//
// Diagnostics never show a secret: the source line is cut where the value of an
// attribute begins that is not known to be harmless (source.go), and values that
// came from env() or file() are marked as they enter (expressions.go).
package config
