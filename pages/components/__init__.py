"""What pages share: the way in, navigation, formats, tables and links."""
