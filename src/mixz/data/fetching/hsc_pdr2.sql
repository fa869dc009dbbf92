-- HSC-SSP PDR2 Wide: the columns mixz needs, in a box around COSMOS2020's area (degrees).
-- Wide is the layer of GalaxiesML, so both data sets have the same depth; for the deep layers write pdr2_dud for pdr2_wide.
-- Stars and bad photometry stay in: mixz cuts them by name, so that the ledger counts them.
SELECT
    object_id
  , ra
  , dec
  , a_g, a_r, a_i, a_z, a_y
  , g_extendedness_value, r_extendedness_value, i_extendedness_value, z_extendedness_value, y_extendedness_value
  , g_cmodel_mag, g_cmodel_magsigma
  , r_cmodel_mag, r_cmodel_magsigma
  , i_cmodel_mag, i_cmodel_magsigma
  , z_cmodel_mag, z_cmodel_magsigma
  , y_cmodel_mag, y_cmodel_magsigma
FROM
    pdr2_wide.forced
WHERE
    boxSearch(coord, 149.0, 151.3, 1.0, 3.4)
    AND isprimary
;
