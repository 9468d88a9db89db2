-- Typing alone.
copy (select * exclude (file_name, file_row_number) from typed)
to '$place/plain.parquet' (format parquet, compression zstd);
