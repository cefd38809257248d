"""npm: names, versions, publish documents, tarballs, packuments."""
