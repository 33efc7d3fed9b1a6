# Input filter of Doxygen: the paragraph that opens a header is about the file, and about the class that the file is
# named after, unless that has a comment of its own.
FNR == 1 {
    name = FILENAME
    sub(/.*\//, "", name)
    sub(/\.h$/, "", name)
    main = ""
    count = split(name, words, "_")
    for (i = 1; i <= count; i++)
        main = main toupper(substr(words[i], 1, 1)) substr(words[i], 2)
    paragraph = ""
    head = 1
}
head && /^\/\/\// {
    if (paragraph == "") print "/// @file"
    paragraph = paragraph $0 "\n"
}
head && paragraph != "" && !/^\/\/\// { head = 0 }
/^template / && !/;$/ { held = held $0 "\n"; next }
$0 ~ "^(class|struct|union) (.* )?" main "( .*)?\\{$" && !/^.*;$/ && before !~ /^\/\/\// { printf "%s", paragraph }
{
    printf "%s", held
    held = ""
    print
    before = $0
}
