// Command ftpgate is the gateway: one binary, one small file per subcommand.
// Besides them there are only signals and exit codes here.
package main
