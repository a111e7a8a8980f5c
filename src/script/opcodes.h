/* The opcodes: one row each. */
#ifndef CAIRN_SCRIPT_OPCODES_H
#define CAIRN_SCRIPT_OPCODES_H

/* X(name, value) */
#define OPCODE_ROWS(X)                                                                                                 \
    X(0, 0x00)                                                                                                         \
    X(PUSHDATA1, 0x4c)                                                                                                 \
    X(PUSHDATA2, 0x4d)                                                                                                 \
    X(PUSHDATA4, 0x4e)                                                                                                 \
    X(1NEGATE, 0x4f)                                                                                                   \
    X(RESERVED, 0x50)                                                                                                  \
    X(1, 0x51)                                                                                                         \
    X(2, 0x52)                                                                                                         \
    X(3, 0x53)                                                                                                         \
    X(4, 0x54)                                                                                                         \
    X(5, 0x55)                                                                                                         \
    X(6, 0x56)                                                                                                         \
    X(7, 0x57)                                                                                                         \
    X(8, 0x58)                                                                                                         \
    X(9, 0x59)                                                                                                         \
    X(10, 0x5a)                                                                                                        \
    X(11, 0x5b)                                                                                                        \
    X(12, 0x5c)                                                                                                        \
    X(13, 0x5d)                                                                                                        \
    X(14, 0x5e)                                                                                                        \
    X(15, 0x5f)                                                                                                        \
    X(16, 0x60)                                                                                                        \
    X(NOP, 0x61)                                                                                                       \
    X(VER, 0x62)                                                                                                       \
    X(IF, 0x63)                                                                                                        \
    X(NOTIF, 0x64)                                                                                                     \
    X(VERIF, 0x65)                                                                                                     \
    X(VERNOTIF, 0x66)                                                                                                  \
    X(ELSE, 0x67)                                                                                                      \
    X(ENDIF, 0x68)                                                                                                     \
    X(VERIFY, 0x69)                                                                                                    \
    X(RETURN, 0x6a)                                                                                                    \
    X(TOALTSTACK, 0x6b)                                                                                                \
    X(FROMALTSTACK, 0x6c)                                                                                              \
    X(2DROP, 0x6d)                                                                                                     \
    X(2DUP, 0x6e)                                                                                                      \
    X(3DUP, 0x6f)                                                                                                      \
    X(2OVER, 0x70)                                                                                                     \
    X(2ROT, 0x71)                                                                                                      \
    X(2SWAP, 0x72)                                                                                                     \
    X(IFDUP, 0x73)                                                                                                     \
    X(DEPTH, 0x74)                                                                                                     \
    X(DROP, 0x75)                                                                                                      \
    X(DUP, 0x76)                                                                                                       \
    X(NIP, 0x77)                                                                                                       \
    X(OVER, 0x78)                                                                                                      \
    X(PICK, 0x79)                                                                                                      \
    X(ROLL, 0x7a)                                                                                                      \
    X(ROT, 0x7b)                                                                                                       \
    X(SWAP, 0x7c)                                                                                                      \
    X(TUCK, 0x7d)                                                                                                      \
    X(CAT, 0x7e)                                                                                                       \
    X(SUBSTR, 0x7f)                                                                                                    \
    X(LEFT, 0x80)                                                                                                      \
    X(RIGHT, 0x81)                                                                                                     \
    X(SIZE, 0x82)                                                                                                      \
    X(INVERT, 0x83)                                                                                                    \
    X(AND, 0x84)                                                                                                       \
    X(OR, 0x85)                                                                                                        \
    X(XOR, 0x86)                                                                                                       \
    X(EQUAL, 0x87)                                                                                                     \
    X(EQUALVERIFY, 0x88)                                                                                               \
    X(RESERVED1, 0x89)                                                                                                 \
    X(RESERVED2, 0x8a)                                                                                                 \
    X(1ADD, 0x8b)                                                                                                      \
    X(1SUB, 0x8c)                                                                                                      \
    X(2MUL, 0x8d)                                                                                                      \
    X(2DIV, 0x8e)                                                                                                      \
    X(NEGATE, 0x8f)                                                                                                    \
    X(ABS, 0x90)                                                                                                       \
    X(NOT, 0x91)                                                                                                       \
    X(0NOTEQUAL, 0x92)                                                                                                 \
    X(ADD, 0x93)                                                                                                       \
    X(SUB, 0x94)                                                                                                       \
    X(MUL, 0x95)                                                                                                       \
    X(DIV, 0x96)                                                                                                       \
    X(MOD, 0x97)                                                                                                       \
    X(LSHIFT, 0x98)                                                                                                    \
    X(RSHIFT, 0x99)                                                                                                    \
    X(BOOLAND, 0x9a)                                                                                                   \
    X(BOOLOR, 0x9b)                                                                                                    \
    X(NUMEQUAL, 0x9c)                                                                                                  \
    X(NUMEQUALVERIFY, 0x9d)                                                                                            \
    X(NUMNOTEQUAL, 0x9e)                                                                                               \
    X(LESSTHAN, 0x9f)                                                                                                  \
    X(GREATERTHAN, 0xa0)                                                                                               \
    X(LESSTHANOREQUAL, 0xa1)                                                                                           \
    X(GREATERTHANOREQUAL, 0xa2)                                                                                        \
    X(MIN, 0xa3)                                                                                                       \
    X(MAX, 0xa4)                                                                                                       \
    X(WITHIN, 0xa5)                                                                                                    \
    X(RIPEMD160, 0xa6)                                                                                                 \
    X(SHA1, 0xa7)                                                                                                      \
    X(SHA256, 0xa8)                                                                                                    \
    X(HASH160, 0xa9)                                                                                                   \
    X(HASH256, 0xaa)                                                                                                   \
    X(CODESEPARATOR, 0xab)                                                                                             \
    X(CHECKSIG, 0xac)                                                                                                  \
    X(CHECKSIGVERIFY, 0xad)                                                                                            \
    X(CHECKMULTISIG, 0xae)                                                                                             \
    X(CHECKMULTISIGVERIFY, 0xaf)                                                                                       \
    X(NOP1, 0xb0)                                                                                                      \
    X(CHECKLOCKTIMEVERIFY, 0xb1)                                                                                       \
    X(CHECKSEQUENCEVERIFY, 0xb2)                                                                                       \
    X(NOP4, 0xb3)                                                                                                      \
    X(NOP5, 0xb4)                                                                                                      \
    X(NOP6, 0xb5)                                                                                                      \
    X(NOP7, 0xb6)                                                                                                      \
    X(NOP8, 0xb7)                                                                                                      \
    X(NOP9, 0xb8)                                                                                                      \
    X(NOP10, 0xb9)                                                                                                     \
    X(CHECKSIGADD, 0xba)                                                                                               \
    X(INVALIDOPCODE, 0xff)

#define OPCODE_CONSTANT(NAME, VALUE) OP_##NAME = VALUE,
enum opcode { OPCODE_ROWS(OPCODE_CONSTANT) };
#undef OPCODE_CONSTANT

#endif
