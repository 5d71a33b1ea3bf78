// Vault is a real Vault server without its web interface: what tests of src/vault and of rotation
// speak to. A test peer on loopback, never shipped.
//
//	vault server -config=vault.hcl
package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
