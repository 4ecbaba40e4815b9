and this {{{
