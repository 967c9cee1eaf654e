// Generated from contracts/abi; do not edit.

export const registryAbi = [
  {
    "inputs": [],
    "name": "acceptOwnership",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "at",
        "type": "uint64"
      }
    ],
    "name": "credentialAt",
    "outputs": [
      {
        "name": "issuer",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      },
      {
        "name": "issuedAt",
        "type": "uint64"
      },
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "endedAt",
        "type": "uint64"
      },
      {
        "name": "document",
        "type": "bytes32"
      },
      {
        "name": "status",
        "type": "uint8"
      },
      {
        "name": "current",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "credentialOf",
    "outputs": [
      {
        "name": "issuer",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      },
      {
        "name": "issuedAt",
        "type": "uint64"
      },
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "endedAt",
        "type": "uint64"
      },
      {
        "name": "document",
        "type": "bytes32"
      },
      {
        "name": "status",
        "type": "uint8"
      },
      {
        "name": "current",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      }
    ],
    "name": "hasRoles",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      },
      {
        "name": "at",
        "type": "uint64"
      }
    ],
    "name": "hasRolesAt",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "member",
        "type": "address"
      }
    ],
    "name": "isMember",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "member",
        "type": "address"
      },
      {
        "name": "at",
        "type": "uint64"
      }
    ],
    "name": "isMemberAt",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      },
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "issueCredential",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "issuer",
        "type": "address"
      }
    ],
    "name": "issuerOf",
    "outputs": [
      {
        "name": "number",
        "type": "uint32"
      },
      {
        "name": "epoch",
        "type": "uint32"
      },
      {
        "name": "active",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "at",
        "type": "uint64"
      }
    ],
    "name": "keyAt",
    "outputs": [
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "suite",
        "type": "uint16"
      },
      {
        "name": "validFrom",
        "type": "uint64"
      },
      {
        "name": "revokedAt",
        "type": "uint64"
      },
      {
        "name": "digest",
        "type": "bytes32"
      },
      {
        "name": "current",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "keyOf",
    "outputs": [
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "suite",
        "type": "uint16"
      },
      {
        "name": "validFrom",
        "type": "uint64"
      },
      {
        "name": "revokedAt",
        "type": "uint64"
      },
      {
        "name": "digest",
        "type": "bytes32"
      },
      {
        "name": "current",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "member",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      }
    ],
    "name": "mayActFor",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "member",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      },
      {
        "name": "at",
        "type": "uint64"
      }
    ],
    "name": "mayActForAt",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "member",
        "type": "address"
      }
    ],
    "name": "memberOf",
    "outputs": [
      {
        "name": "since",
        "type": "uint64"
      },
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "endedAt",
        "type": "uint64"
      },
      {
        "name": "serial",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "owner",
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "pendingOwner",
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "suite",
        "type": "uint16"
      },
      {
        "name": "key",
        "type": "bytes"
      }
    ],
    "name": "publishKey",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "reinstateCredential",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "relay",
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "member",
        "type": "address"
      },
      {
        "name": "serial",
        "type": "uint32"
      }
    ],
    "name": "removeMember",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "revokeCredential",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "version",
        "type": "uint32"
      }
    ],
    "name": "revokeKey",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "issuer",
        "type": "address"
      },
      {
        "name": "active",
        "type": "bool"
      }
    ],
    "name": "setIssuer",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "member",
        "type": "address"
      },
      {
        "name": "serial",
        "type": "uint32"
      },
      {
        "name": "expiry",
        "type": "uint64"
      }
    ],
    "name": "setMember",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "suspendCredential",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "pending",
        "type": "address"
      }
    ],
    "name": "transferOwnership",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "party",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "issuer",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "issuerEpoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "roles",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "expiry",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "CredentialIssued",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "party",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "issuer",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "issuerEpoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "roles",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "expiry",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "CredentialReinstated",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "party",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "CredentialRevoked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "party",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "CredentialSuspended",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "issuer",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "number",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "epoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "active",
        "type": "bool"
      }
    ],
    "name": "IssuerSet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "party",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "version",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "suite",
        "type": "uint16"
      },
      {
        "indexed": false,
        "name": "key",
        "type": "bytes"
      }
    ],
    "name": "KeyPublished",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "party",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "version",
        "type": "uint32"
      }
    ],
    "name": "KeyRevoked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "organisation",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "member",
        "type": "address"
      }
    ],
    "name": "MemberRemoved",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "organisation",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "member",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "expiry",
        "type": "uint64"
      }
    ],
    "name": "MemberSet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "owner",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "pending",
        "type": "address"
      }
    ],
    "name": "OwnershipTransferStarted",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "previous",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "owner",
        "type": "address"
      }
    ],
    "name": "OwnershipTransferred",
    "type": "event"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "status",
        "type": "uint8"
      }
    ],
    "name": "CredentialStatus",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "now",
        "type": "uint64"
      }
    ],
    "name": "ExpiryInPast",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "issuer",
        "type": "address"
      },
      {
        "name": "epoch",
        "type": "uint32"
      }
    ],
    "name": "IssuerEpochEnded",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "revokedAt",
        "type": "uint64"
      }
    ],
    "name": "KeyAlreadyRevoked",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "suite",
        "type": "uint16"
      },
      {
        "name": "length",
        "type": "uint256"
      }
    ],
    "name": "KeyLength",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "next",
        "type": "uint32"
      }
    ],
    "name": "KeyVersion",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "current",
        "type": "uint32"
      }
    ],
    "name": "MemberSerial",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "NoCredential",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NoRoles",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "NotActor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "issuer",
        "type": "address"
      }
    ],
    "name": "NotCredentialIssuer",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ],
    "name": "NotIssuer",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "member",
        "type": "address"
      }
    ],
    "name": "NotMember",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "NotOrganisation",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ],
    "name": "NotOwner",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ],
    "name": "NotPendingOwner",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "organisation",
        "type": "address"
      }
    ],
    "name": "OwnMember",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "time",
        "type": "uint64"
      }
    ],
    "name": "TimeTooLarge",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "latest",
        "type": "uint32"
      }
    ],
    "name": "UnknownKey",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "suite",
        "type": "uint16"
      }
    ],
    "name": "UnknownSuite",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroAddress",
    "type": "error"
  }
] as const;

export const recordsAbi = [
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "directory",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "name": "grantee",
            "type": "address"
          },
          {
            "name": "keyring",
            "type": "bytes32"
          }
        ],
        "name": "keyrings",
        "type": "tuple[]"
      }
    ],
    "name": "acceptControl",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "directoryVersion",
        "type": "uint32"
      },
      {
        "name": "compartment",
        "type": "uint8"
      },
      {
        "name": "codec",
        "type": "uint8"
      },
      {
        "name": "root",
        "type": "bytes32"
      },
      {
        "name": "count",
        "type": "uint32"
      }
    ],
    "name": "addBatch",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "directoryVersion",
        "type": "uint32"
      },
      {
        "components": [
          {
            "name": "recordId",
            "type": "bytes32"
          },
          {
            "name": "compartment",
            "type": "uint8"
          },
          {
            "name": "codec",
            "type": "uint8"
          },
          {
            "name": "pointer",
            "type": "bytes32"
          }
        ],
        "name": "records",
        "type": "tuple[]"
      }
    ],
    "name": "addRecords",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "directoryVersion",
        "type": "uint32"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "previous",
        "type": "bytes32"
      },
      {
        "name": "codec",
        "type": "uint8"
      },
      {
        "name": "pointer",
        "type": "bytes32"
      }
    ],
    "name": "amendRecord",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "root",
        "type": "bytes32"
      }
    ],
    "name": "batchOf",
    "outputs": [
      {
        "name": "author",
        "type": "address"
      },
      {
        "name": "createdAt",
        "type": "uint64"
      },
      {
        "name": "count",
        "type": "uint32"
      },
      {
        "name": "compartment",
        "type": "uint8"
      },
      {
        "name": "codec",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "chartOf",
    "outputs": [
      {
        "name": "controller",
        "type": "address"
      },
      {
        "name": "grantEpoch",
        "type": "uint32"
      },
      {
        "name": "directoryVersion",
        "type": "uint32"
      },
      {
        "name": "directory",
        "type": "bytes32"
      },
      {
        "name": "controlEpoch",
        "type": "uint32"
      },
      {
        "name": "exceptional",
        "type": "bool"
      },
      {
        "name": "rotationDue",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "grantee",
            "type": "address"
          },
          {
            "name": "member",
            "type": "address"
          },
          {
            "name": "compartment",
            "type": "uint8"
          },
          {
            "name": "recordId",
            "type": "bytes32"
          },
          {
            "name": "purpose",
            "type": "uint32"
          },
          {
            "name": "action",
            "type": "uint8"
          }
        ],
        "name": "question",
        "type": "tuple"
      }
    ],
    "name": "decide",
    "outputs": [
      {
        "name": "allowed",
        "type": "bool"
      },
      {
        "name": "reason",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "grantee",
            "type": "address"
          },
          {
            "name": "member",
            "type": "address"
          },
          {
            "name": "compartment",
            "type": "uint8"
          },
          {
            "name": "recordId",
            "type": "bytes32"
          },
          {
            "name": "purpose",
            "type": "uint32"
          },
          {
            "name": "action",
            "type": "uint8"
          }
        ],
        "name": "questions",
        "type": "tuple[]"
      }
    ],
    "name": "decideMany",
    "outputs": [
      {
        "name": "reasons",
        "type": "uint8[]"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "previous",
        "type": "bytes32"
      }
    ],
    "name": "enterInError",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "directoryVersion",
        "type": "uint32"
      },
      {
        "name": "grantee",
        "type": "address"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "components": [
          {
            "name": "compartments",
            "type": "uint64"
          },
          {
            "name": "purposes",
            "type": "uint32"
          },
          {
            "name": "actions",
            "type": "uint8"
          },
          {
            "name": "notBefore",
            "type": "uint64"
          },
          {
            "name": "expiry",
            "type": "uint64"
          }
        ],
        "name": "terms",
        "type": "tuple"
      },
      {
        "name": "keyring",
        "type": "bytes32"
      }
    ],
    "name": "grant",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "grantee",
        "type": "address"
      }
    ],
    "name": "grantOf",
    "outputs": [
      {
        "name": "epoch",
        "type": "uint32"
      },
      {
        "name": "since",
        "type": "uint32"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "components": [
          {
            "name": "compartments",
            "type": "uint64"
          },
          {
            "name": "purposes",
            "type": "uint32"
          },
          {
            "name": "actions",
            "type": "uint8"
          },
          {
            "name": "notBefore",
            "type": "uint64"
          },
          {
            "name": "expiry",
            "type": "uint64"
          }
        ],
        "name": "terms",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "neighbours",
    "outputs": [
      {
        "name": "registry",
        "type": "address"
      },
      {
        "name": "exceptions",
        "type": "address"
      },
      {
        "name": "relay",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "to",
        "type": "address"
      }
    ],
    "name": "offerControl",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "offeredTo",
    "outputs": [
      {
        "name": "to",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "directory",
        "type": "bytes32"
      }
    ],
    "name": "openChart",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      }
    ],
    "name": "recordOf",
    "outputs": [
      {
        "name": "author",
        "type": "address"
      },
      {
        "name": "createdAt",
        "type": "uint64"
      },
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "compartment",
        "type": "uint8"
      },
      {
        "name": "status",
        "type": "uint8"
      },
      {
        "name": "codec",
        "type": "uint8"
      },
      {
        "name": "pointer",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "grantee",
        "type": "address"
      },
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "directory",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "name": "grantee",
            "type": "address"
          },
          {
            "name": "keyring",
            "type": "bytes32"
          }
        ],
        "name": "keyrings",
        "type": "tuple[]"
      }
    ],
    "name": "revoke",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "epoch",
        "type": "uint32"
      }
    ],
    "name": "revokeAll",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "directory",
        "type": "bytes32"
      }
    ],
    "name": "setDirectory",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "setExceptional",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "directoryVersion",
        "type": "uint32"
      },
      {
        "components": [
          {
            "name": "grantee",
            "type": "address"
          },
          {
            "name": "keyring",
            "type": "bytes32"
          }
        ],
        "name": "keyrings",
        "type": "tuple[]"
      }
    ],
    "name": "setKeyrings",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      }
    ],
    "name": "shredRecord",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "root",
        "type": "bytes32"
      },
      {
        "name": "index",
        "type": "uint32"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "pointer",
        "type": "bytes32"
      },
      {
        "name": "proof",
        "type": "bytes32[]"
      }
    ],
    "name": "takeFromBatch",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "root",
        "type": "bytes32"
      },
      {
        "name": "index",
        "type": "uint32"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "pointer",
        "type": "bytes32"
      },
      {
        "name": "proof",
        "type": "bytes32[]"
      }
    ],
    "name": "verifyBatch",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "organisation",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "member",
        "type": "address"
      }
    ],
    "name": "ActedFor",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "epoch",
        "type": "uint32"
      }
    ],
    "name": "AllRevoked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "root",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "author",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "compartment",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "codec",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "count",
        "type": "uint32"
      }
    ],
    "name": "BatchAdded",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "delegate",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "power",
        "type": "uint8"
      }
    ],
    "name": "ByDelegate",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "controller",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "directory",
        "type": "bytes32"
      }
    ],
    "name": "ChartOpened",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "controller",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "controlEpoch",
        "type": "uint32"
      }
    ],
    "name": "ControlAccepted",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "to",
        "type": "address"
      }
    ],
    "name": "ControlOffered",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "version",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "directory",
        "type": "bytes32"
      }
    ],
    "name": "DirectorySet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "grantee",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "since",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "epoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "compartments",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "purposes",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "actions",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "notBefore",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "expiry",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "keyring",
        "type": "bytes32"
      }
    ],
    "name": "Granted",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "grantee",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "keyring",
        "type": "bytes32"
      }
    ],
    "name": "KeyringSet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "MadeExceptional",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "author",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "compartment",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "codec",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "pointer",
        "type": "bytes32"
      }
    ],
    "name": "RecordAdded",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "author",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "version",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "codec",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "pointer",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "previous",
        "type": "bytes32"
      }
    ],
    "name": "RecordAmended",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "RecordEnteredInError",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "recordId",
        "type": "bytes32"
      }
    ],
    "name": "RecordShredded",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "root",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "author",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "createdAt",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "compartment",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "codec",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "pointer",
        "type": "bytes32"
      }
    ],
    "name": "RecordTakenFromBatch",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "grantee",
        "type": "address"
      }
    ],
    "name": "Revoked",
    "type": "event"
  },
  {
    "inputs": [
      {
        "name": "root",
        "type": "bytes32"
      }
    ],
    "name": "BatchExists",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "most",
        "type": "uint32"
      }
    ],
    "name": "BatchSize",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "ChartExists",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "compartment",
        "type": "uint8"
      }
    ],
    "name": "CompartmentRange",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "expected",
        "type": "uint32"
      }
    ],
    "name": "DirectoryVersion",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "EmptyGrant",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "expected",
        "type": "uint32"
      }
    ],
    "name": "GrantEpoch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint8"
      },
      {
        "name": "current",
        "type": "uint8"
      }
    ],
    "name": "GrantSerial",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "GrantToController",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "notBefore",
        "type": "uint64"
      },
      {
        "name": "expiry",
        "type": "uint64"
      }
    ],
    "name": "GrantWindow",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "LastControlEpoch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "grantee",
        "type": "address"
      }
    ],
    "name": "LastSerial",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "grantee",
        "type": "address"
      }
    ],
    "name": "NoGrant",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "NotActor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "power",
        "type": "uint8"
      }
    ],
    "name": "NotController",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "organisation",
        "type": "address"
      }
    ],
    "name": "NotCredentialed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ],
    "name": "NotExceptions",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "root",
        "type": "bytes32"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      }
    ],
    "name": "NotInBatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "offered",
        "type": "address"
      }
    ],
    "name": "NotOffered",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "compartment",
        "type": "uint8"
      },
      {
        "name": "reason",
        "type": "uint8"
      }
    ],
    "name": "NotWriter",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "recordId",
        "type": "bytes32"
      }
    ],
    "name": "RecordExists",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "status",
        "type": "uint8"
      }
    ],
    "name": "RecordStatus",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "RotationDue",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "bytes32"
      },
      {
        "name": "current",
        "type": "bytes32"
      }
    ],
    "name": "StalePointer",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "time",
        "type": "uint64"
      }
    ],
    "name": "TimeTooLarge",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "UnknownChart",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "recordId",
        "type": "bytes32"
      }
    ],
    "name": "UnknownRecord",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroAddress",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroDigest",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroId",
    "type": "error"
  }
] as const;

export const exceptionsAbi = [
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "name": "compartments",
        "type": "uint64"
      },
      {
        "name": "reasonCode",
        "type": "uint16"
      }
    ],
    "name": "breakGlass",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "closeEmergency",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "delegate",
        "type": "address"
      }
    ],
    "name": "delegateOf",
    "outputs": [
      {
        "name": "parent",
        "type": "address"
      },
      {
        "name": "serial",
        "type": "uint32"
      },
      {
        "name": "powers",
        "type": "uint8"
      },
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "depth",
        "type": "uint8"
      },
      {
        "name": "parentSerial",
        "type": "uint32"
      },
      {
        "name": "controlEpoch",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "emergencyAccessOf",
    "outputs": [
      {
        "name": "allowed",
        "type": "bool"
      },
      {
        "name": "serial",
        "type": "uint32"
      },
      {
        "name": "controlEpoch",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "emergencyOf",
    "outputs": [
      {
        "name": "compartments",
        "type": "uint64"
      },
      {
        "name": "openedAt",
        "type": "uint64"
      },
      {
        "name": "until",
        "type": "uint64"
      },
      {
        "name": "grantEpoch",
        "type": "uint32"
      },
      {
        "name": "serial",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "grantEpoch",
        "type": "uint32"
      },
      {
        "name": "controlEpoch",
        "type": "uint32"
      },
      {
        "name": "grantee",
        "type": "address"
      },
      {
        "name": "member",
        "type": "address"
      },
      {
        "name": "compartment",
        "type": "uint8"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "purpose",
        "type": "uint32"
      },
      {
        "name": "action",
        "type": "uint8"
      }
    ],
    "name": "factsOf",
    "outputs": [
      {
        "name": "denied",
        "type": "bool"
      },
      {
        "name": "allowedSince",
        "type": "uint32"
      },
      {
        "name": "powers",
        "type": "uint8"
      },
      {
        "name": "emergency",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "neighbours",
    "outputs": [
      {
        "name": "records",
        "type": "address"
      },
      {
        "name": "registry",
        "type": "address"
      },
      {
        "name": "relay",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "delegate",
        "type": "address"
      }
    ],
    "name": "powersOf",
    "outputs": [
      {
        "name": "powers",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "delegate",
        "type": "address"
      }
    ],
    "name": "removeDelegate",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "grantee",
        "type": "address"
      }
    ],
    "name": "ruleOf",
    "outputs": [
      {
        "name": "effect",
        "type": "uint8"
      },
      {
        "name": "purposes",
        "type": "uint32"
      },
      {
        "name": "actions",
        "type": "uint8"
      },
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "directoryVersion",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "directoryVersion",
        "type": "uint32"
      },
      {
        "name": "delegate",
        "type": "address"
      },
      {
        "name": "serial",
        "type": "uint32"
      },
      {
        "name": "powers",
        "type": "uint8"
      },
      {
        "name": "expiry",
        "type": "uint64"
      }
    ],
    "name": "setDelegate",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint32"
      },
      {
        "name": "allowed",
        "type": "bool"
      }
    ],
    "name": "setEmergencyAccess",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "chart",
        "type": "bytes32"
      },
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "grantee",
        "type": "address"
      },
      {
        "name": "effect",
        "type": "uint8"
      },
      {
        "name": "purposes",
        "type": "uint32"
      },
      {
        "name": "actions",
        "type": "uint8"
      },
      {
        "name": "expiry",
        "type": "uint64"
      }
    ],
    "name": "setRule",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "delegate",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "power",
        "type": "uint8"
      }
    ],
    "name": "ByDelegate",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "delegate",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "DelegateRemoved",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "delegate",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "parent",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "powers",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "expiry",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "depth",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "parentSerial",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "controlEpoch",
        "type": "uint32"
      }
    ],
    "name": "DelegateSet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "allowed",
        "type": "bool"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "controlEpoch",
        "type": "uint32"
      }
    ],
    "name": "EmergencyAccessSet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "party",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "EmergencyClosed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "party",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "organisation",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "compartments",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "reasonCode",
        "type": "uint16"
      },
      {
        "indexed": false,
        "name": "until",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "grantEpoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint32"
      }
    ],
    "name": "EmergencyOpened",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "grantee",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "effect",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "purposes",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "actions",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "expiry",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "directoryVersion",
        "type": "uint32"
      }
    ],
    "name": "RuleSet",
    "type": "event"
  },
  {
    "inputs": [
      {
        "name": "from",
        "type": "uint64"
      }
    ],
    "name": "CoolDown",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "most",
        "type": "uint8"
      }
    ],
    "name": "DelegateDepth",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "delegate",
        "type": "address"
      }
    ],
    "name": "DelegateOfSelf",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "current",
        "type": "uint32"
      }
    ],
    "name": "DelegateSerial",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "expected",
        "type": "uint32"
      }
    ],
    "name": "DirectoryVersion",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "current",
        "type": "uint32"
      }
    ],
    "name": "EmergencySerial",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "EmptyEmergency",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "now",
        "type": "uint64"
      }
    ],
    "name": "ExpiryInPast",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "MalformedRule",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "NoEmergency",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "NoEmergencyAccess",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "NotActor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "power",
        "type": "uint8"
      }
    ],
    "name": "NotController",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "organisation",
        "type": "address"
      }
    ],
    "name": "NotCredentialed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "delegate",
        "type": "address"
      }
    ],
    "name": "NotDelegate",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "parent",
        "type": "address"
      }
    ],
    "name": "NotParent",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "delegate",
        "type": "address"
      },
      {
        "name": "parent",
        "type": "address"
      }
    ],
    "name": "OtherParent",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "most",
        "type": "uint64"
      }
    ],
    "name": "OutlivesParent",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "OwnRule",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint8"
      },
      {
        "name": "most",
        "type": "uint8"
      }
    ],
    "name": "Powers",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "RotationDue",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "time",
        "type": "uint64"
      }
    ],
    "name": "TimeTooLarge",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "chart",
        "type": "bytes32"
      }
    ],
    "name": "UnknownChart",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "reasonCode",
        "type": "uint16"
      }
    ],
    "name": "UnknownReasonCode",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "recordId",
        "type": "bytes32"
      }
    ],
    "name": "UnknownRecord",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroAddress",
    "type": "error"
  }
] as const;

export const relayAbi = [
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "organisation",
            "type": "address"
          },
          {
            "name": "directoryVersion",
            "type": "uint32"
          },
          {
            "components": [
              {
                "name": "recordId",
                "type": "bytes32"
              },
              {
                "name": "compartment",
                "type": "uint8"
              },
              {
                "name": "codec",
                "type": "uint8"
              },
              {
                "name": "pointer",
                "type": "bytes32"
              }
            ],
            "name": "records",
            "type": "tuple[]"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "addRecords",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "organisation",
            "type": "address"
          },
          {
            "name": "directoryVersion",
            "type": "uint32"
          },
          {
            "name": "recordId",
            "type": "bytes32"
          },
          {
            "name": "previous",
            "type": "bytes32"
          },
          {
            "name": "codec",
            "type": "uint8"
          },
          {
            "name": "pointer",
            "type": "bytes32"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "amendRecord",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "organisation",
            "type": "address"
          },
          {
            "name": "compartments",
            "type": "uint64"
          },
          {
            "name": "reasonCode",
            "type": "uint16"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "breakGlass",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "ledger",
            "type": "address"
          },
          {
            "name": "call",
            "type": "bytes"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "callLedger",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "cancelAll",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "cancelAllBySignature",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "party",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "closeEmergency",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "eip712Domain",
    "outputs": [
      {
        "name": "fields",
        "type": "bytes1"
      },
      {
        "name": "name",
        "type": "string"
      },
      {
        "name": "version",
        "type": "string"
      },
      {
        "name": "chainId",
        "type": "uint256"
      },
      {
        "name": "verifyingContract",
        "type": "address"
      },
      {
        "name": "salt",
        "type": "bytes32"
      },
      {
        "name": "extensions",
        "type": "uint256[]"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "organisation",
            "type": "address"
          },
          {
            "name": "recordId",
            "type": "bytes32"
          },
          {
            "name": "previous",
            "type": "bytes32"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "enterInError",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "directoryVersion",
            "type": "uint32"
          },
          {
            "name": "grantee",
            "type": "address"
          },
          {
            "name": "serial",
            "type": "uint8"
          },
          {
            "name": "compartments",
            "type": "uint64"
          },
          {
            "name": "purposes",
            "type": "uint32"
          },
          {
            "name": "actions",
            "type": "uint8"
          },
          {
            "name": "notBefore",
            "type": "uint64"
          },
          {
            "name": "expiry",
            "type": "uint64"
          },
          {
            "name": "keyring",
            "type": "bytes32"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "grant",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "neighbours",
    "outputs": [
      {
        "name": "registry",
        "type": "address"
      },
      {
        "name": "records",
        "type": "address"
      },
      {
        "name": "exceptions",
        "type": "address"
      },
      {
        "name": "claims",
        "type": "address"
      },
      {
        "name": "supply",
        "type": "address"
      },
      {
        "name": "trials",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "signer",
        "type": "address"
      }
    ],
    "name": "nonceOf",
    "outputs": [
      {
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "directory",
            "type": "bytes32"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "openChart",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "version",
            "type": "uint32"
          },
          {
            "name": "suite",
            "type": "uint16"
          },
          {
            "name": "key",
            "type": "bytes"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "publishKey",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "member",
            "type": "address"
          },
          {
            "name": "serial",
            "type": "uint32"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "removeMember",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "grantee",
            "type": "address"
          },
          {
            "name": "version",
            "type": "uint32"
          },
          {
            "name": "directory",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "name": "grantee",
                "type": "address"
              },
              {
                "name": "keyring",
                "type": "bytes32"
              }
            ],
            "name": "keyrings",
            "type": "tuple[]"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "revoke",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "epoch",
            "type": "uint32"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "revokeAll",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "directoryVersion",
            "type": "uint32"
          },
          {
            "name": "delegate",
            "type": "address"
          },
          {
            "name": "serial",
            "type": "uint32"
          },
          {
            "name": "powers",
            "type": "uint8"
          },
          {
            "name": "expiry",
            "type": "uint64"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "setDelegate",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "version",
            "type": "uint32"
          },
          {
            "name": "directory",
            "type": "bytes32"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "setDirectory",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "serial",
            "type": "uint32"
          },
          {
            "name": "allowed",
            "type": "bool"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "setEmergencyAccess",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "member",
            "type": "address"
          },
          {
            "name": "serial",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint64"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "setMember",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "signer",
            "type": "address"
          },
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "recordId",
            "type": "bytes32"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "deadline",
            "type": "uint256"
          }
        ],
        "name": "operation",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "shredRecord",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "signer",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "Cancelled",
    "type": "event"
  },
  {
    "inputs": [
      {
        "name": "signer",
        "type": "address"
      }
    ],
    "name": "BadSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "most",
        "type": "uint32"
      }
    ],
    "name": "BatchSize",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "deadline",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ],
    "name": "DeadlineTooFar",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "ledger",
        "type": "address"
      }
    ],
    "name": "NotLedgerCall",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "nonce",
        "type": "uint256"
      },
      {
        "name": "current",
        "type": "uint256"
      }
    ],
    "name": "SignatureCancelled",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "deadline",
        "type": "uint256"
      },
      {
        "name": "now",
        "type": "uint256"
      }
    ],
    "name": "SignatureExpired",
    "type": "error"
  }
] as const;

export const auditAbi = [
  {
    "inputs": [
      {
        "name": "previous",
        "type": "bytes32"
      },
      {
        "name": "root",
        "type": "bytes32"
      },
      {
        "name": "count",
        "type": "uint32"
      }
    ],
    "name": "anchor",
    "outputs": [
      {
        "name": "index",
        "type": "uint64"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "gateway",
        "type": "address"
      },
      {
        "name": "index",
        "type": "uint64"
      }
    ],
    "name": "anchorOf",
    "outputs": [
      {
        "name": "anchor",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "eip712Domain",
    "outputs": [
      {
        "name": "fields",
        "type": "bytes1"
      },
      {
        "name": "name",
        "type": "string"
      },
      {
        "name": "version",
        "type": "string"
      },
      {
        "name": "chainId",
        "type": "uint256"
      },
      {
        "name": "verifyingContract",
        "type": "address"
      },
      {
        "name": "salt",
        "type": "bytes32"
      },
      {
        "name": "extensions",
        "type": "uint256[]"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "gateway",
        "type": "address"
      }
    ],
    "name": "equivocationsOf",
    "outputs": [
      {
        "name": "count",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "gateway",
        "type": "address"
      }
    ],
    "name": "headOf",
    "outputs": [
      {
        "name": "anchors",
        "type": "uint64"
      },
      {
        "name": "receipts",
        "type": "uint64"
      },
      {
        "name": "last",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "gateway",
            "type": "address"
          },
          {
            "name": "index",
            "type": "uint64"
          },
          {
            "name": "previous",
            "type": "bytes32"
          },
          {
            "name": "root",
            "type": "bytes32"
          },
          {
            "name": "count",
            "type": "uint32"
          }
        ],
        "name": "statement",
        "type": "tuple"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "proveDeviation",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "gateway",
            "type": "address"
          },
          {
            "name": "index",
            "type": "uint64"
          },
          {
            "name": "previous",
            "type": "bytes32"
          },
          {
            "name": "root",
            "type": "bytes32"
          },
          {
            "name": "count",
            "type": "uint32"
          }
        ],
        "name": "first",
        "type": "tuple"
      },
      {
        "name": "firstSignature",
        "type": "bytes"
      },
      {
        "components": [
          {
            "name": "gateway",
            "type": "address"
          },
          {
            "name": "index",
            "type": "uint64"
          },
          {
            "name": "previous",
            "type": "bytes32"
          },
          {
            "name": "root",
            "type": "bytes32"
          },
          {
            "name": "count",
            "type": "uint32"
          }
        ],
        "name": "second",
        "type": "tuple"
      },
      {
        "name": "secondSignature",
        "type": "bytes"
      }
    ],
    "name": "proveEquivocation",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "registry",
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "gateway",
            "type": "address"
          },
          {
            "name": "index",
            "type": "uint64"
          },
          {
            "name": "previous",
            "type": "bytes32"
          },
          {
            "name": "root",
            "type": "bytes32"
          },
          {
            "name": "count",
            "type": "uint32"
          }
        ],
        "name": "statement",
        "type": "tuple"
      },
      {
        "name": "leafIndex",
        "type": "uint32"
      },
      {
        "name": "leaf",
        "type": "bytes32"
      },
      {
        "name": "proof",
        "type": "bytes32[]"
      }
    ],
    "name": "verify",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "gateway",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "index",
        "type": "uint64"
      },
      {
        "indexed": true,
        "name": "anchor",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "previous",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "root",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "count",
        "type": "uint32"
      }
    ],
    "name": "Anchored",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "gateway",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "index",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "first",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "second",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "EquivocationProved",
    "type": "event"
  },
  {
    "inputs": [
      {
        "name": "gateway",
        "type": "address"
      }
    ],
    "name": "BadSignature",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "EmptyAnchor",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotComparable",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ],
    "name": "NotGateway",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "bytes32"
      },
      {
        "name": "current",
        "type": "bytes32"
      }
    ],
    "name": "PreviousAnchor",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "SameAnchor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "gateway",
        "type": "address"
      },
      {
        "name": "index",
        "type": "uint64"
      }
    ],
    "name": "UnknownAnchor",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroRoot",
    "type": "error"
  }
] as const;

export const claimsAbi = [
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      }
    ],
    "name": "acceptPart",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "name": "state",
        "type": "uint8"
      },
      {
        "name": "amount",
        "type": "bytes32"
      },
      {
        "name": "reasonCode",
        "type": "uint16"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "adjudicate",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "appeal",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      }
    ],
    "name": "beginReview",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "provider",
        "type": "address"
      },
      {
        "components": [
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "insurer",
            "type": "address"
          },
          {
            "name": "document",
            "type": "bytes32"
          },
          {
            "name": "fingerprint",
            "type": "bytes32"
          },
          {
            "name": "currency",
            "type": "uint16"
          },
          {
            "name": "billed",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "name": "recordId",
                "type": "bytes32"
              },
              {
                "name": "pointer",
                "type": "bytes32"
              }
            ],
            "name": "links",
            "type": "tuple[]"
          }
        ],
        "name": "claim",
        "type": "tuple"
      }
    ],
    "name": "claimIdOf",
    "outputs": [
      {
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "claim",
        "type": "bytes32"
      }
    ],
    "name": "claimOf",
    "outputs": [
      {
        "name": "provider",
        "type": "address"
      },
      {
        "name": "insurer",
        "type": "address"
      },
      {
        "name": "state",
        "type": "uint8"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "name": "currency",
        "type": "uint16"
      },
      {
        "name": "currencyVersion",
        "type": "uint32"
      },
      {
        "name": "submittedAt",
        "type": "uint64"
      },
      {
        "name": "deadline",
        "type": "uint64"
      },
      {
        "name": "rounds",
        "type": "uint8"
      },
      {
        "name": "appeals",
        "type": "uint8"
      },
      {
        "name": "reasonCode",
        "type": "uint16"
      },
      {
        "name": "amount",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      }
    ],
    "name": "closeOverdue",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "insurer",
        "type": "address"
      },
      {
        "name": "currency",
        "type": "uint16"
      }
    ],
    "name": "currencyOf",
    "outputs": [
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "accepted",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "insurer",
        "type": "address"
      }
    ],
    "name": "insurerOf",
    "outputs": [
      {
        "name": "serial",
        "type": "uint32"
      },
      {
        "name": "shared",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "neighbours",
    "outputs": [
      {
        "name": "records",
        "type": "address"
      },
      {
        "name": "registry",
        "type": "address"
      },
      {
        "name": "relay",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "name": "amount",
        "type": "uint256"
      },
      {
        "name": "salt",
        "type": "bytes32"
      }
    ],
    "name": "payInToken",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "provideInformation",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "name": "remittance",
        "type": "bytes32"
      }
    ],
    "name": "recordPayment",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "requestInformation",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      },
      {
        "name": "reasonCode",
        "type": "uint16"
      }
    ],
    "name": "reverseClaim",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "namespace",
        "type": "address"
      },
      {
        "name": "provider",
        "type": "address"
      },
      {
        "name": "fingerprint",
        "type": "bytes32"
      }
    ],
    "name": "serviceOf",
    "outputs": [
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "holds",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "insurer",
        "type": "address"
      },
      {
        "name": "currency",
        "type": "uint16"
      },
      {
        "name": "version",
        "type": "uint32"
      },
      {
        "name": "accepted",
        "type": "bool"
      },
      {
        "name": "token",
        "type": "address"
      },
      {
        "name": "scale",
        "type": "uint8"
      }
    ],
    "name": "setCurrency",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "insurer",
        "type": "address"
      },
      {
        "name": "serial",
        "type": "uint32"
      },
      {
        "name": "shared",
        "type": "bool"
      }
    ],
    "name": "setInsurer",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "organisation",
        "type": "address"
      },
      {
        "components": [
          {
            "name": "chart",
            "type": "bytes32"
          },
          {
            "name": "insurer",
            "type": "address"
          },
          {
            "name": "document",
            "type": "bytes32"
          },
          {
            "name": "fingerprint",
            "type": "bytes32"
          },
          {
            "name": "currency",
            "type": "uint16"
          },
          {
            "name": "billed",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "name": "recordId",
                "type": "bytes32"
              },
              {
                "name": "pointer",
                "type": "bytes32"
              }
            ],
            "name": "links",
            "type": "tuple[]"
          }
        ],
        "name": "claims",
        "type": "tuple[]"
      }
    ],
    "name": "submitClaims",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "insurer",
        "type": "address"
      },
      {
        "name": "currency",
        "type": "uint16"
      },
      {
        "name": "version",
        "type": "uint32"
      }
    ],
    "name": "tokenOf",
    "outputs": [
      {
        "name": "token",
        "type": "address"
      },
      {
        "name": "scale",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "serial",
        "type": "uint8"
      }
    ],
    "name": "withdraw",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "state",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "amount",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "reasonCode",
        "type": "uint16"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "Adjudicated",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "Appealed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "chart",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "insurer",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "provider",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "fingerprint",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "currency",
        "type": "uint16"
      },
      {
        "indexed": false,
        "name": "billed",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "name": "recordId",
            "type": "bytes32"
          },
          {
            "name": "pointer",
            "type": "bytes32"
          }
        ],
        "indexed": false,
        "name": "links",
        "type": "tuple[]"
      },
      {
        "indexed": false,
        "name": "currencyVersion",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "shared",
        "type": "bool"
      },
      {
        "indexed": false,
        "name": "previous",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "ClaimSubmitted",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "insurer",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "currency",
        "type": "uint16"
      },
      {
        "indexed": false,
        "name": "version",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "accepted",
        "type": "bool"
      },
      {
        "indexed": false,
        "name": "token",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "scale",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "CurrencySet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "InformationProvided",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "InformationRequested",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "insurer",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "shared",
        "type": "bool"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "InsurerSet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "remittance",
        "type": "bytes32"
      }
    ],
    "name": "Paid",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "token",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "value",
        "type": "uint256"
      }
    ],
    "name": "PaidInToken",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "PartAccepted",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "reasonCode",
        "type": "uint16"
      }
    ],
    "name": "Reversed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "ReviewBegun",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "claim",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "by",
        "type": "address"
      }
    ],
    "name": "Withdrawn",
    "type": "event"
  },
  {
    "inputs": [
      {
        "name": "amount",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ],
    "name": "AmountTooLarge",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "AppealWindowOpen",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "AppealWindowOver",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "most",
        "type": "uint32"
      }
    ],
    "name": "BatchSize",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "claim",
        "type": "bytes32"
      }
    ],
    "name": "ClaimExists",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint8"
      },
      {
        "name": "current",
        "type": "uint8"
      }
    ],
    "name": "ClaimSerial",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "claim",
        "type": "bytes32"
      },
      {
        "name": "state",
        "type": "uint8"
      }
    ],
    "name": "ClaimState",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "insurer",
        "type": "address"
      },
      {
        "name": "currency",
        "type": "uint16"
      }
    ],
    "name": "CurrencyNotAccepted",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "currency",
        "type": "uint16"
      }
    ],
    "name": "CurrencyRange",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "next",
        "type": "uint32"
      }
    ],
    "name": "CurrencyVersion",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "claim",
        "type": "bytes32"
      }
    ],
    "name": "DuplicateService",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "most",
        "type": "uint8"
      }
    ],
    "name": "InformationRounds",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "current",
        "type": "uint32"
      }
    ],
    "name": "InsurerSerial",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "most",
        "type": "uint32"
      }
    ],
    "name": "LinkCount",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "MalformedCurrency",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "MalformedDecision",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "reason",
        "type": "uint8"
      }
    ],
    "name": "NoConsent",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "insurer",
        "type": "address"
      },
      {
        "name": "currency",
        "type": "uint16"
      }
    ],
    "name": "NoToken",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "NotActor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      }
    ],
    "name": "NotCredentialed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "insurer",
        "type": "address"
      }
    ],
    "name": "NotInsurer",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "deadline",
        "type": "uint64"
      }
    ],
    "name": "NotOverdue",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "party",
        "type": "address"
      }
    ],
    "name": "NotParty",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "token",
        "type": "address"
      }
    ],
    "name": "NotToken",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "OtherAmount",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "provider",
        "type": "address"
      }
    ],
    "name": "OwnClaim",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "recordId",
        "type": "bytes32"
      },
      {
        "name": "status",
        "type": "uint8"
      }
    ],
    "name": "RecordStatus",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "bytes32"
      },
      {
        "name": "current",
        "type": "bytes32"
      }
    ],
    "name": "StalePointer",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "token",
        "type": "address"
      }
    ],
    "name": "TokenRefused",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "claim",
        "type": "bytes32"
      }
    ],
    "name": "UnknownClaim",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "reasonCode",
        "type": "uint16"
      }
    ],
    "name": "UnknownReasonCode",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "recordId",
        "type": "bytes32"
      }
    ],
    "name": "UnknownRecord",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroAmount",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroDigest",
    "type": "error"
  }
] as const;

export const supplyAbi = [
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "shipment",
        "type": "uint64"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "accept",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      }
    ],
    "name": "batchOf",
    "outputs": [
      {
        "name": "maker",
        "type": "address"
      },
      {
        "name": "gtin",
        "type": "uint64"
      },
      {
        "name": "registeredAt",
        "type": "uint64"
      },
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "root",
        "type": "bytes32"
      },
      {
        "name": "count",
        "type": "uint32"
      },
      {
        "name": "recalls",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "last",
        "type": "uint64"
      },
      {
        "name": "reasonCode",
        "type": "uint8"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "decommission",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "index",
        "type": "uint32"
      },
      {
        "name": "serial",
        "type": "bytes32"
      },
      {
        "name": "proof",
        "type": "bytes32[]"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "dispense",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "maker",
        "type": "address"
      },
      {
        "name": "gtin",
        "type": "uint64"
      },
      {
        "name": "serial",
        "type": "bytes32"
      }
    ],
    "name": "dispensedOf",
    "outputs": [
      {
        "name": "by",
        "type": "address"
      },
      {
        "name": "at",
        "type": "uint64"
      },
      {
        "name": "index",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "neighbours",
    "outputs": [
      {
        "name": "registry",
        "type": "address"
      },
      {
        "name": "relay",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "kind",
        "type": "uint8"
      },
      {
        "components": [
          {
            "name": "batch",
            "type": "bytes32"
          },
          {
            "name": "unit",
            "type": "uint32"
          },
          {
            "name": "last",
            "type": "uint64"
          }
        ],
        "name": "items",
        "type": "tuple[]"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "offer",
    "outputs": [
      {
        "name": "shipment",
        "type": "uint64"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "number",
        "type": "uint8"
      },
      {
        "name": "from",
        "type": "uint32"
      },
      {
        "name": "to",
        "type": "uint32"
      },
      {
        "name": "class",
        "type": "uint8"
      },
      {
        "name": "reasonCode",
        "type": "uint8"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "recall",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "number",
        "type": "uint8"
      }
    ],
    "name": "recallOf",
    "outputs": [
      {
        "name": "from",
        "type": "uint32"
      },
      {
        "name": "to",
        "type": "uint32"
      },
      {
        "name": "class",
        "type": "uint8"
      },
      {
        "name": "reasonCode",
        "type": "uint8"
      },
      {
        "name": "at",
        "type": "uint64"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "shipment",
        "type": "uint64"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "refuse",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "gtin",
        "type": "uint64"
      },
      {
        "name": "lot",
        "type": "bytes32"
      },
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "root",
        "type": "bytes32"
      },
      {
        "name": "count",
        "type": "uint32"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "registerBatch",
    "outputs": [
      {
        "name": "batch",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "shipment",
        "type": "uint64"
      }
    ],
    "name": "shipmentOf",
    "outputs": [
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "kind",
        "type": "uint8"
      },
      {
        "name": "state",
        "type": "uint8"
      },
      {
        "name": "offeredAt",
        "type": "uint64"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "cuts",
        "type": "uint32[]"
      }
    ],
    "name": "split",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "step",
        "type": "uint64"
      }
    ],
    "name": "stepOf",
    "outputs": [
      {
        "name": "holder",
        "type": "address"
      },
      {
        "name": "previous",
        "type": "uint64"
      },
      {
        "name": "shipment",
        "type": "uint64"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      }
    ],
    "name": "unitOf",
    "outputs": [
      {
        "name": "to",
        "type": "uint32"
      },
      {
        "name": "holder",
        "type": "address"
      },
      {
        "name": "step",
        "type": "uint64"
      },
      {
        "name": "last",
        "type": "uint64"
      },
      {
        "name": "shipment",
        "type": "uint64"
      },
      {
        "name": "decommissioned",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "index",
        "type": "uint32"
      },
      {
        "name": "serial",
        "type": "bytes32"
      },
      {
        "name": "proof",
        "type": "bytes32[]"
      }
    ],
    "name": "verify",
    "outputs": [
      {
        "name": "status",
        "type": "uint8"
      },
      {
        "name": "party",
        "type": "address"
      },
      {
        "name": "since",
        "type": "uint64"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "shipment",
        "type": "uint64"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "withdraw",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "batch",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "maker",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "gtin",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "lot",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "expiry",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "root",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "count",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "step",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "BatchRegistered",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "batch",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "unit",
        "type": "uint32"
      },
      {
        "indexed": true,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "reasonCode",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "Decommissioned",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "batch",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "serial",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "unit",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "index",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "Dispensed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "batch",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "number",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "from",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "to",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "class",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "reasonCode",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "RecallIssued",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "shipment",
        "type": "uint64"
      },
      {
        "indexed": true,
        "name": "by",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "state",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "ShipmentClosed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "shipment",
        "type": "uint64"
      },
      {
        "indexed": true,
        "name": "from",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "to",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "kind",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "ShipmentOffered",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "shipment",
        "type": "uint64"
      },
      {
        "indexed": true,
        "name": "batch",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "unit",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "held",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "step",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "previous",
        "type": "uint64"
      }
    ],
    "name": "UnitOffered",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "batch",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "unit",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "cuts",
        "type": "uint32[]"
      }
    ],
    "name": "UnitSplit",
    "type": "event"
  },
  {
    "inputs": [
      {
        "name": "serial",
        "type": "bytes32"
      },
      {
        "name": "by",
        "type": "address"
      },
      {
        "name": "at",
        "type": "uint64"
      }
    ],
    "name": "AlreadyDispensed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      }
    ],
    "name": "BatchExists",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "expiry",
        "type": "uint64"
      }
    ],
    "name": "BatchExpired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "to",
        "type": "address"
      }
    ],
    "name": "CustodyCycle",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "EmptyBatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "expiry",
        "type": "uint64"
      },
      {
        "name": "now",
        "type": "uint64"
      }
    ],
    "name": "ExpiryInPast",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "shipment",
        "type": "uint64"
      }
    ],
    "name": "InTransit",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "item",
        "type": "uint32"
      }
    ],
    "name": "ItemOrder",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "most",
        "type": "uint32"
      }
    ],
    "name": "ListLength",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "cut",
        "type": "uint32"
      }
    ],
    "name": "MalformedCut",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "gtin",
        "type": "uint64"
      }
    ],
    "name": "MalformedGtin",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "MayNotRecall",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "NotActor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      }
    ],
    "name": "NotCredentialed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "to",
        "type": "address"
      }
    ],
    "name": "NotEarlierHolder",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "holder",
        "type": "address"
      }
    ],
    "name": "NotHolder",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "index",
        "type": "uint32"
      }
    ],
    "name": "NotInBatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "index",
        "type": "uint32"
      },
      {
        "name": "from",
        "type": "uint32"
      },
      {
        "name": "to",
        "type": "uint32"
      }
    ],
    "name": "NotInUnit",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      }
    ],
    "name": "NotReceiver",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "from",
        "type": "address"
      }
    ],
    "name": "NotSender",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint8"
      },
      {
        "name": "next",
        "type": "uint8"
      }
    ],
    "name": "RecallNumber",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "from",
        "type": "uint32"
      },
      {
        "name": "to",
        "type": "uint32"
      },
      {
        "name": "count",
        "type": "uint32"
      }
    ],
    "name": "RecallRange",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "number",
        "type": "uint8"
      }
    ],
    "name": "Recalled",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "shipment",
        "type": "uint64"
      },
      {
        "name": "state",
        "type": "uint8"
      }
    ],
    "name": "ShipmentNotOpen",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "ShipmentToSelf",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "time",
        "type": "uint64"
      }
    ],
    "name": "TimeTooLarge",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "most",
        "type": "uint8"
      }
    ],
    "name": "TooManyHolders",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "most",
        "type": "uint8"
      }
    ],
    "name": "TooManyRecalls",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "reasonCode",
        "type": "uint8"
      }
    ],
    "name": "UnitDecommissioned",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      },
      {
        "name": "given",
        "type": "uint64"
      },
      {
        "name": "current",
        "type": "uint64"
      }
    ],
    "name": "UnitMoved",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      }
    ],
    "name": "UnknownBatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "class",
        "type": "uint8"
      }
    ],
    "name": "UnknownClass",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "kind",
        "type": "uint8"
      }
    ],
    "name": "UnknownKind",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "reasonCode",
        "type": "uint8"
      }
    ],
    "name": "UnknownReasonCode",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "shipment",
        "type": "uint64"
      }
    ],
    "name": "UnknownShipment",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "batch",
        "type": "bytes32"
      },
      {
        "name": "unit",
        "type": "uint32"
      }
    ],
    "name": "UnknownUnit",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroAddress",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroDigest",
    "type": "error"
  }
] as const;

export const trialsAbi = [
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "version",
        "type": "uint8"
      },
      {
        "name": "protocol",
        "type": "bytes32"
      },
      {
        "name": "plan",
        "type": "bytes32"
      },
      {
        "name": "form",
        "type": "bytes32"
      },
      {
        "name": "reasonCode",
        "type": "uint8"
      },
      {
        "name": "reconsent",
        "type": "bool"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "amendTrial",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "sequence",
        "type": "uint32"
      },
      {
        "name": "from",
        "type": "uint64"
      },
      {
        "name": "to",
        "type": "uint64"
      },
      {
        "name": "root",
        "type": "bytes32"
      },
      {
        "name": "count",
        "type": "uint32"
      },
      {
        "name": "participants",
        "type": "uint256[]"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "anchorBatch",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "version",
        "type": "uint8"
      },
      {
        "name": "number",
        "type": "uint8"
      },
      {
        "name": "results",
        "type": "bytes32"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "anchorResults",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "site",
        "type": "address"
      },
      {
        "name": "sequence",
        "type": "uint32"
      }
    ],
    "name": "batchOf",
    "outputs": [
      {
        "name": "root",
        "type": "bytes32"
      },
      {
        "name": "count",
        "type": "uint32"
      },
      {
        "name": "from",
        "type": "uint64"
      },
      {
        "name": "to",
        "type": "uint64"
      },
      {
        "name": "anchoredAt",
        "type": "uint64"
      },
      {
        "name": "flags",
        "type": "uint8"
      },
      {
        "name": "version",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "trial",
        "type": "bytes32"
      }
    ],
    "name": "closeTrial",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "site",
        "type": "address"
      },
      {
        "name": "version",
        "type": "uint8"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "consent",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      }
    ],
    "name": "countsOf",
    "outputs": [
      {
        "name": "enrolled",
        "type": "uint32"
      },
      {
        "name": "withdrawn",
        "type": "uint32"
      },
      {
        "name": "batches",
        "type": "uint32"
      },
      {
        "name": "results",
        "type": "uint8"
      },
      {
        "name": "lockedAt",
        "type": "uint64"
      },
      {
        "name": "data",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "participant",
        "type": "address"
      }
    ],
    "name": "enrol",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "batches",
        "type": "uint32"
      }
    ],
    "name": "lockData",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "site",
        "type": "address"
      },
      {
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "mayContribute",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "neighbours",
    "outputs": [
      {
        "name": "registry",
        "type": "address"
      },
      {
        "name": "relay",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "participant",
        "type": "address"
      }
    ],
    "name": "participantOf",
    "outputs": [
      {
        "name": "site",
        "type": "address"
      },
      {
        "name": "number",
        "type": "uint32"
      },
      {
        "name": "version",
        "type": "uint8"
      },
      {
        "name": "status",
        "type": "uint8"
      },
      {
        "name": "at",
        "type": "uint64"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "registration",
        "type": "bytes32"
      },
      {
        "name": "protocol",
        "type": "bytes32"
      },
      {
        "name": "plan",
        "type": "bytes32"
      },
      {
        "name": "form",
        "type": "bytes32"
      },
      {
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "registerTrial",
    "outputs": [
      {
        "name": "trial",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "number",
        "type": "uint8"
      }
    ],
    "name": "resultsOf",
    "outputs": [
      {
        "name": "results",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "site",
        "type": "address"
      },
      {
        "name": "serial",
        "type": "uint32"
      },
      {
        "name": "active",
        "type": "bool"
      }
    ],
    "name": "setSite",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "site",
        "type": "address"
      }
    ],
    "name": "siteOf",
    "outputs": [
      {
        "name": "serial",
        "type": "uint32"
      },
      {
        "name": "active",
        "type": "bool"
      },
      {
        "name": "enrolled",
        "type": "uint32"
      },
      {
        "name": "withdrawn",
        "type": "uint32"
      },
      {
        "name": "last",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      }
    ],
    "name": "trialOf",
    "outputs": [
      {
        "name": "sponsor",
        "type": "address"
      },
      {
        "name": "registeredAt",
        "type": "uint64"
      },
      {
        "name": "version",
        "type": "uint8"
      },
      {
        "name": "consentVersion",
        "type": "uint8"
      },
      {
        "name": "state",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "site",
        "type": "address"
      },
      {
        "name": "sequence",
        "type": "uint32"
      },
      {
        "name": "index",
        "type": "uint32"
      },
      {
        "name": "leaf",
        "type": "bytes32"
      },
      {
        "name": "proof",
        "type": "bytes32[]"
      }
    ],
    "name": "verifyBatch",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "version",
        "type": "uint8"
      }
    ],
    "name": "versionOf",
    "outputs": [
      {
        "name": "protocol",
        "type": "bytes32"
      },
      {
        "name": "plan",
        "type": "bytes32"
      },
      {
        "name": "form",
        "type": "bytes32"
      },
      {
        "name": "at",
        "type": "uint64"
      },
      {
        "name": "reasonCode",
        "type": "uint8"
      },
      {
        "name": "reconsent",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "trial",
        "type": "bytes32"
      }
    ],
    "name": "withdrawConsent",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "site",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "sequence",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "from",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "to",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "root",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "count",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "participants",
        "type": "uint256[]"
      },
      {
        "indexed": false,
        "name": "flags",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "version",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "data",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "BatchAnchored",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "participant",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "site",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "version",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "Consented",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "batches",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "data",
        "type": "bytes32"
      }
    ],
    "name": "DataLocked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "participant",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "site",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "Enrolled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "participant",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "site",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "ParticipantWithdrew",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "number",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "version",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "plan",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "data",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "results",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "ResultsAnchored",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "site",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "serial",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "active",
        "type": "bool"
      }
    ],
    "name": "SiteSet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "version",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "protocol",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "plan",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "form",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "reasonCode",
        "type": "uint8"
      },
      {
        "indexed": false,
        "name": "reconsent",
        "type": "bool"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "TrialAmended",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      }
    ],
    "name": "TrialClosed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "trial",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "sponsor",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "registration",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "protocol",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "plan",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "form",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "document",
        "type": "bytes32"
      }
    ],
    "name": "TrialRegistered",
    "type": "event"
  },
  {
    "inputs": [
      {
        "name": "participant",
        "type": "address"
      },
      {
        "name": "version",
        "type": "uint8"
      }
    ],
    "name": "AlreadyConsented",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "participant",
        "type": "address"
      },
      {
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "AlreadyEnrolled",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "current",
        "type": "uint32"
      }
    ],
    "name": "BatchCount",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "participant",
        "type": "address"
      },
      {
        "name": "version",
        "type": "uint8"
      },
      {
        "name": "least",
        "type": "uint8"
      }
    ],
    "name": "ConsentOutdated",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "participant",
        "type": "address"
      },
      {
        "name": "at",
        "type": "uint64"
      }
    ],
    "name": "ConsentWithdrawn",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "EmptyBatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "most",
        "type": "uint32"
      }
    ],
    "name": "ListLength",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "from",
        "type": "uint64"
      },
      {
        "name": "to",
        "type": "uint64"
      }
    ],
    "name": "MalformedPeriod",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NoParticipants",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "NotActor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "roles",
        "type": "uint64"
      }
    ],
    "name": "NotCredentialed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "participant",
        "type": "address"
      }
    ],
    "name": "NotParticipant",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "site",
        "type": "address"
      },
      {
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "NotParticipating",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "site",
        "type": "address"
      }
    ],
    "name": "NotSite",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "actor",
        "type": "address"
      },
      {
        "name": "sponsor",
        "type": "address"
      }
    ],
    "name": "NotSponsor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "participant",
        "type": "address"
      },
      {
        "name": "site",
        "type": "address"
      }
    ],
    "name": "OtherSite",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "from",
        "type": "uint64"
      },
      {
        "name": "registeredAt",
        "type": "uint64"
      }
    ],
    "name": "PeriodBeforeRegistration",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "to",
        "type": "uint64"
      },
      {
        "name": "now",
        "type": "uint64"
      }
    ],
    "name": "PeriodInFuture",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint8"
      },
      {
        "name": "next",
        "type": "uint8"
      }
    ],
    "name": "ResultNumber",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "site",
        "type": "address"
      },
      {
        "name": "sequence",
        "type": "uint32"
      }
    ],
    "name": "SequenceTaken",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint32"
      },
      {
        "name": "current",
        "type": "uint32"
      }
    ],
    "name": "SiteSerial",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "site",
        "type": "address"
      },
      {
        "name": "active",
        "type": "bool"
      }
    ],
    "name": "SiteUnchanged",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "most",
        "type": "uint8"
      }
    ],
    "name": "TooManyResults",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "most",
        "type": "uint8"
      }
    ],
    "name": "TooManyVersions",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      }
    ],
    "name": "TrialExists",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      },
      {
        "name": "state",
        "type": "uint8"
      }
    ],
    "name": "TrialState",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "given",
        "type": "uint8"
      },
      {
        "name": "expected",
        "type": "uint8"
      }
    ],
    "name": "TrialVersion",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "reasonCode",
        "type": "uint8"
      }
    ],
    "name": "UnknownReasonCode",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "trial",
        "type": "bytes32"
      }
    ],
    "name": "UnknownTrial",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroAddress",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroDigest",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroSequence",
    "type": "error"
  }
] as const;

export const terms = {
  "action": {
    "read": 1,
    "share": 4,
    "write": 2
  },
  "amendment": {
    "editorial": 6,
    "eligibility": 4,
    "other": 7,
    "outcomes": 5,
    "procedure": 3,
    "regulator": 2,
    "safety": 1
  },
  "claimReason": {
    "above-limit": 6,
    "duplicate": 7,
    "no-answer": 14,
    "no-information": 13,
    "not-authorised": 4,
    "not-covered": 1,
    "not-insured": 3,
    "not-necessary": 2,
    "not-rendered": 10,
    "not-supported": 8,
    "other": 12,
    "other-fingerprint": 9,
    "paid-in-error": 11,
    "too-late": 5
  },
  "claimState": {
    "appealed": 7,
    "approved": 4,
    "denied": 6,
    "in-review": 2,
    "information-requested": 3,
    "paid": 8,
    "partly-approved": 5,
    "received": 1,
    "reversed": 9,
    "withdrawn": 10
  },
  "credentialStatus": {
    "issued": 1,
    "none": 0,
    "replaced": 4,
    "revoked": 3,
    "suspended": 2
  },
  "decommission": {
    "damaged": 2,
    "destroyed": 1,
    "exported": 6,
    "lost": 5,
    "other": 7,
    "sample": 3,
    "stolen": 4
  },
  "effect": {
    "allow": 1,
    "deny": 2,
    "none": 0
  },
  "emergency": {
    "life-threatening": 2,
    "other": 4,
    "public-danger": 3,
    "unable-to-consent": 1
  },
  "package": {
    "decommissioned": 16,
    "dispensed": 8,
    "expired": 2,
    "in-transit": 32,
    "made": 1,
    "recalled": 4
  },
  "participant": {
    "consented": 1,
    "enrolled": 2,
    "withdrawn": 3
  },
  "power": {
    "delegate": 32,
    "directory": 16,
    "grant": 4,
    "read": 1,
    "revoke": 8,
    "write": 2
  },
  "purpose": {
    "ETREAT": 2,
    "HOPERAT": 8,
    "HPAYMT": 4,
    "HRESCH": 16,
    "PATRQT": 32,
    "PUBHLTH": 64,
    "TREAT": 1
  },
  "reason": {
    "action-not-granted": 23,
    "compartment-not-granted": 21,
    "controller": 1,
    "delegate": 3,
    "denied-by-rule": 27,
    "emergency": 4,
    "expired": 20,
    "grant": 2,
    "malformed-question": 26,
    "no-grant": 17,
    "not-a-member": 29,
    "not-yet-valid": 19,
    "purpose-not-granted": 22,
    "record-in-another-compartment": 25,
    "revoked": 18,
    "rule": 5,
    "shredded": 28,
    "unknown-chart": 16,
    "unknown-record": 24
  },
  "recallClass": {
    "class-i": 1,
    "class-ii": 2,
    "class-iii": 3
  },
  "recallReason": {
    "adverse-events": 5,
    "contaminated": 1,
    "counterfeit": 6,
    "defective": 4,
    "mislabelled": 3,
    "other": 7,
    "wrong-strength": 2
  },
  "recordStatus": {
    "current": 0,
    "entered-in-error": 1,
    "shredded": 2
  },
  "role": {
    "distributor": 64,
    "gateway": 16,
    "insurer": 4,
    "maker": 32,
    "organisation": 1,
    "pharmacy": 128,
    "practitioner": 2,
    "provider": 8,
    "regulator": 1024,
    "site": 512,
    "sponsor": 256
  },
  "shipmentKind": {
    "return": 2,
    "sale": 1
  },
  "shipmentState": {
    "accepted": 2,
    "open": 1,
    "refused": 3,
    "withdrawn": 4
  },
  "suite": {
    "x-wing": 2,
    "x25519": 1
  },
  "trialBatch": {
    "gap": 4,
    "late": 1,
    "out-of-order": 2
  },
  "trialState": {
    "closed": 3,
    "locked": 2,
    "open": 1
  }
} as const;

export const signedTypes = {
  "AddRecords": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "organisation",
      "type": "address"
    },
    {
      "name": "directoryVersion",
      "type": "uint32"
    },
    {
      "name": "records",
      "type": "NewRecord[]"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "AmendRecord": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "organisation",
      "type": "address"
    },
    {
      "name": "directoryVersion",
      "type": "uint32"
    },
    {
      "name": "recordId",
      "type": "bytes32"
    },
    {
      "name": "previous",
      "type": "bytes32"
    },
    {
      "name": "codec",
      "type": "uint8"
    },
    {
      "name": "pointer",
      "type": "bytes32"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "Anchor": [
    {
      "name": "gateway",
      "type": "address"
    },
    {
      "name": "index",
      "type": "uint64"
    },
    {
      "name": "previous",
      "type": "bytes32"
    },
    {
      "name": "root",
      "type": "bytes32"
    },
    {
      "name": "count",
      "type": "uint32"
    }
  ],
  "BreakGlass": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "organisation",
      "type": "address"
    },
    {
      "name": "compartments",
      "type": "uint64"
    },
    {
      "name": "reasonCode",
      "type": "uint16"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "CancelAll": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "CloseEmergency": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "party",
      "type": "address"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "CompartmentDirectory": [
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "version",
      "type": "uint32"
    },
    {
      "name": "body",
      "type": "bytes32"
    }
  ],
  "EmergencyKit": [
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "directoryVersion",
      "type": "uint32"
    },
    {
      "name": "serial",
      "type": "uint32"
    },
    {
      "name": "body",
      "type": "bytes32"
    }
  ],
  "EnterInError": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "organisation",
      "type": "address"
    },
    {
      "name": "recordId",
      "type": "bytes32"
    },
    {
      "name": "previous",
      "type": "bytes32"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "Grant": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "directoryVersion",
      "type": "uint32"
    },
    {
      "name": "grantee",
      "type": "address"
    },
    {
      "name": "serial",
      "type": "uint8"
    },
    {
      "name": "compartments",
      "type": "uint64"
    },
    {
      "name": "purposes",
      "type": "uint32"
    },
    {
      "name": "actions",
      "type": "uint8"
    },
    {
      "name": "notBefore",
      "type": "uint64"
    },
    {
      "name": "expiry",
      "type": "uint64"
    },
    {
      "name": "keyring",
      "type": "bytes32"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "LedgerCall": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "ledger",
      "type": "address"
    },
    {
      "name": "call",
      "type": "bytes"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "NewRecord": [
    {
      "name": "recordId",
      "type": "bytes32"
    },
    {
      "name": "compartment",
      "type": "uint8"
    },
    {
      "name": "codec",
      "type": "uint8"
    },
    {
      "name": "pointer",
      "type": "bytes32"
    }
  ],
  "OpenChart": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "directory",
      "type": "bytes32"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "PublishKey": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "version",
      "type": "uint32"
    },
    {
      "name": "suite",
      "type": "uint16"
    },
    {
      "name": "key",
      "type": "bytes"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "ReadReceipt": [
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "recordId",
      "type": "bytes32"
    },
    {
      "name": "version",
      "type": "uint32"
    },
    {
      "name": "pointer",
      "type": "bytes32"
    },
    {
      "name": "reader",
      "type": "address"
    },
    {
      "name": "organisation",
      "type": "address"
    },
    {
      "name": "purpose",
      "type": "uint32"
    },
    {
      "name": "gateway",
      "type": "address"
    },
    {
      "name": "readAt",
      "type": "uint64"
    },
    {
      "name": "nonce",
      "type": "bytes32"
    }
  ],
  "RemoveMember": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "member",
      "type": "address"
    },
    {
      "name": "serial",
      "type": "uint32"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "Resealed": [
    {
      "name": "grantee",
      "type": "address"
    },
    {
      "name": "keyring",
      "type": "bytes32"
    }
  ],
  "Revoke": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "grantee",
      "type": "address"
    },
    {
      "name": "version",
      "type": "uint32"
    },
    {
      "name": "directory",
      "type": "bytes32"
    },
    {
      "name": "keyrings",
      "type": "Resealed[]"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "RevokeAll": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "epoch",
      "type": "uint32"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "SetDelegate": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "directoryVersion",
      "type": "uint32"
    },
    {
      "name": "delegate",
      "type": "address"
    },
    {
      "name": "serial",
      "type": "uint32"
    },
    {
      "name": "powers",
      "type": "uint8"
    },
    {
      "name": "expiry",
      "type": "uint64"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "SetDirectory": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "version",
      "type": "uint32"
    },
    {
      "name": "directory",
      "type": "bytes32"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "SetEmergencyAccess": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "serial",
      "type": "uint32"
    },
    {
      "name": "allowed",
      "type": "bool"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "SetMember": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "member",
      "type": "address"
    },
    {
      "name": "serial",
      "type": "uint32"
    },
    {
      "name": "expiry",
      "type": "uint64"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "ShredRecord": [
    {
      "name": "signer",
      "type": "address"
    },
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "recordId",
      "type": "bytes32"
    },
    {
      "name": "nonce",
      "type": "uint256"
    },
    {
      "name": "deadline",
      "type": "uint256"
    }
  ],
  "Verdict": [
    {
      "name": "chart",
      "type": "bytes32"
    },
    {
      "name": "grantee",
      "type": "address"
    },
    {
      "name": "compartment",
      "type": "uint8"
    },
    {
      "name": "recordId",
      "type": "bytes32"
    },
    {
      "name": "purpose",
      "type": "uint32"
    },
    {
      "name": "action",
      "type": "uint8"
    },
    {
      "name": "at",
      "type": "uint64"
    },
    {
      "name": "allowed",
      "type": "bool"
    },
    {
      "name": "reason",
      "type": "uint8"
    },
    {
      "name": "blockNumber",
      "type": "uint64"
    },
    {
      "name": "blockHash",
      "type": "bytes32"
    }
  ],
  "Verdicts": [
    {
      "name": "root",
      "type": "bytes32"
    },
    {
      "name": "count",
      "type": "uint32"
    }
  ]
} as const;

/** The EIP-712 domain: of operations the relay's, of anchors the audit contract's, of all else that of records. */
export function domain(chainId: number, verifyingContract: `0x${string}`) {
  return { name: "Medlock", version: "1", chainId, verifyingContract } as const;
}
