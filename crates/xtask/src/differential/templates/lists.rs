//! Lists.

use super::{Template, exact};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    // Some long ones, so that lists outgrow a listpack.
    exact(12, "(LPUSH|RPUSH) <list> <member>+"),
    exact(5, "(LPUSH|RPUSH) <list> (<member> <member> <member> <member> <member> <member>)+ <member>*"),
    exact(1, "(LPUSH|RPUSH) <list> (<text>|<integer>)+"),
    // One that gets longer than the others, for bounds in bytes.
    exact(6, "(LPUSH|RPUSH) list:4 (<text> <member> <text> <text> <text> <member> <text> <text> <text>)+"),
    exact(4, "LINSERT list:4 (BEFORE|AFTER) <member> <text>"),
    exact(4, "(LPUSHX|RPUSHX) <list> <member>+"),
    exact(1, "RPUSH <key> <member>"),
    exact(8, "(LPOP|RPOP) <list>"),
    exact(3, "(LPOP|RPOP) <list> <index>"),
    exact(2, "LRANGE <list> <index> <index>"),
    exact(2, "LRANGE <list> 0 -1"),
    exact(2, "LLEN <list>"),
    exact(6, "LINDEX <list> <index>"),
    exact(10, "LSET <list> <index> <member>"),
    exact(2, "LSET <list> <index> <text>"),
    exact(10, "LINSERT <list> (BEFORE|AFTER) <member> <member>"),
    exact(2, "LINSERT <list> (BEFORE|AFTER) <member> <text>"),
    exact(6, "LREM <list> <index> <member>"),
    exact(2, "LREM <list> 0 <member>"),
    exact(2, "LTRIM <list> <index> <index>"),
    exact(3, "LTRIM <list> (0|1|2) (-1|-2|-3)"),
    exact(6, "LPOS <list> <member> (RANK <index>|COUNT <index>|MAXLEN <index>)*"),
    exact(2, "LPOS <list> <member> (RANK <integer>|COUNT <integer>|MAXLEN <integer>)*"),
    exact(8, "LMOVE <list> <list> (LEFT|RIGHT) (LEFT|RIGHT)"),
    exact(4, "RPOPLPUSH <list> <list>"),
    exact(1, "(LMOVE <list> list:0 LEFT|RPOPLPUSH <any>) <any>"),
    exact(4, "LMPOP 1 <list> (LEFT|RIGHT) (COUNT <index>)?"),
    exact(4, "LMPOP 2 <list> <list> (LEFT|RIGHT) (COUNT (1|2|5|100))?"),
    exact(1, "LMPOP (0|-1|x|3) <list>* (LEFT|RIGHT) (COUNT <integer>)*"),
    // Where there is nothing a client waits for a millisecond.
    exact(2, "(BLPOP|BRPOP) <list>+ 0.001"),
    exact(2, "BLMOVE <list> <list> (LEFT|RIGHT) (LEFT|RIGHT) 0.001"),
    exact(2, "BRPOPLPUSH <list> <list> 0.001"),
    exact(2, "BLMPOP 0.001 (1 <list>|2 <list> <list>) (LEFT|RIGHT) (COUNT (1|3|100))?"),
    exact(1, "(BLPOP|BRPOP) <list>+ (-1|-0.002|x|nan|inf|-inf|1e400|1e4933|9223372036854775.807|1e18)"),
    exact(1, "BLMOVE <list> <list> (LEFT|RIGHT) (LEFT|UP) (-1|x)"),
    exact(1, "BLMPOP (-1|x|0.001) (0|1 <list>|2 <list>) (LEFT|UP) (COUNT (0|x|2))?"),
    exact(1, "DEL <list>"),
    exact(1, "COPY <list> <list> REPLACE?"),
    exact(1, "(RENAME|RENAMENX) <list> <list>"),
];
